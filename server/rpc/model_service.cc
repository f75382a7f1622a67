#include "server/rpc/model_service.h"

#include <utility>

#include "server/base/error_details.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/page.h"

namespace tersor {
namespace {

absl::StatusOr<v1::ListModelsResponse> List(ModelStore& store, const v1::ListModelsRequest& request) {
  TERSOR_ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  // The token is the last name of the page before.
  TERSOR_ASSIGN_OR_RETURN(std::vector<v1::Model> models, store.ListModels(size + 1, request.page_token()));
  v1::ListModelsResponse response;
  if (models.size() > static_cast<size_t>(size)) {
    models.resize(static_cast<size_t>(size));
    response.set_next_page_token(models.back().name());
  }
  for (v1::Model& model : models) *response.add_models() = std::move(model);
  return response;
}

}  // namespace

grpc::Status ModelServiceImpl::ImportModel(grpc::ServerContext* context, const v1::ImportModelRequest* request,
                                           v1::Model* response) {
  return AnswerComputed(admission_, *context, response,
                        [&](CallerGone gone) { return catalog_.Import(*request, gone); });
}

grpc::Status ModelServiceImpl::StartUpload(grpc::ServerContext*, const v1::StartUploadRequest* request,
                                           v1::StartUploadResponse* response) {
  return Answer(uploads_.Start(*request), response);
}

grpc::Status ModelServiceImpl::UploadFile(grpc::ServerContext* context,
                                          grpc::ServerReader<v1::UploadFileRequest>* reader,
                                          v1::UploadFileResponse* response) {
  const StreamLimit::Place place(admission_.streams);
  if (!place.status().ok()) return ToGrpcStatus(place.status());
  v1::UploadFileRequest message;
  const auto read = [&] {
    const IdleWatch::Wait wait(admission_.idle, *context);
    return reader->Read(&message);
  };
  if (!read() || !message.has_header()) {
    return ToGrpcStatus(FieldError("header", "must come in the first message"));
  }
  const auto writer = uploads_.Open(message.header());
  if (!writer.ok()) return ToGrpcStatus(writer.status());
  while (read()) {
    if (!message.has_chunk()) return ToGrpcStatus(FieldError("chunk", "must come in every message but the first"));
    const absl::Status appended = (*writer)->Append(message.chunk());
    if (!appended.ok()) return ToGrpcStatus(appended);
  }
  // What arrived is kept for the next try.
  if (context->IsCancelled()) return ToGrpcStatus(absl::CancelledError("the sender went away"));
  return Answer((*writer)->Finish(), response);
}

grpc::Status ModelServiceImpl::FinishUpload(grpc::ServerContext* context, const v1::FinishUploadRequest* request,
                                            v1::Model* response) {
  return AnswerComputed(admission_, *context, response,
                        [&](CallerGone gone) { return uploads_.Finish(request->upload_id(), gone); });
}

grpc::Status ModelServiceImpl::GetModel(grpc::ServerContext*, const v1::GetModelRequest* request, v1::Model* response) {
  return Answer(store_.GetModel(request->name()), response);
}

grpc::Status ModelServiceImpl::ListModels(grpc::ServerContext*, const v1::ListModelsRequest* request,
                                          v1::ListModelsResponse* response) {
  return Answer(List(store_, *request), response);
}

grpc::Status ModelServiceImpl::DeleteModel(grpc::ServerContext*, const v1::DeleteModelRequest* request,
                                           google::protobuf::Empty*) {
  const absl::Status deleted = catalog_.Delete(request->name());
  return ToGrpcStatus(deleted.ok() ? garbage_.SweepBlobs() : deleted);
}

}  // namespace tersor
