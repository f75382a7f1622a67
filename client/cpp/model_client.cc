#include "client/cpp/model_client.h"

#include <string>
#include <utility>

#include "client/cpp/unary_call.h"

namespace tersor::client {

ModelClient::ModelClient(Connection connection)
    : connection_(std::move(connection)), stub_(v1::ModelService::NewStub(connection_.channel())) {}

absl::StatusOr<v1::Model> ModelClient::Import(absl::string_view path, absl::string_view name) const {
  v1::ImportModelRequest request;
  request.set_path(std::string(path));
  request.set_name(std::string(name));
  return UnaryCall<v1::Model>(connection_, connection_.timeouts().planning,
                              [&](auto* context, auto* model) { return stub_->ImportModel(context, request, model); });
}

absl::StatusOr<v1::Model> ModelClient::Get(absl::string_view name) const {
  v1::GetModelRequest request;
  request.set_name(std::string(name));
  return UnaryCall<v1::Model>(connection_, connection_.timeouts().lookup,
                              [&](auto* context, auto* model) { return stub_->GetModel(context, request, model); });
}

absl::StatusOr<std::vector<v1::Model>> ModelClient::List() const {
  std::vector<v1::Model> models;
  v1::ListModelsRequest request;
  do {
    TERSOR_ASSIGN_OR_RETURN(v1::ListModelsResponse page,
                            UnaryCall<v1::ListModelsResponse>(connection_, connection_.timeouts().lookup,
                                                              [&](auto* context, auto* response) {
                                                                return stub_->ListModels(context, request, response);
                                                              }));
    for (v1::Model& model : *page.mutable_models()) models.push_back(std::move(model));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return models;
}

absl::Status ModelClient::Delete(absl::string_view name) const {
  v1::DeleteModelRequest request;
  request.set_name(std::string(name));
  return UnaryCall<google::protobuf::Empty>(
             connection_, connection_.timeouts().lookup,
             [&](auto* context, auto* response) { return stub_->DeleteModel(context, request, response); })
      .status();
}

}  // namespace tersor::client
