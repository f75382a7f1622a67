// ModelService: models that jobs can name.
#ifndef TERSOR_SERVER_RPC_MODEL_SERVICE_H_
#define TERSOR_SERVER_RPC_MODEL_SERVICE_H_

#include "server/engine/garbage_collector.h"
#include "server/engine/model_catalog.h"
#include "server/engine/upload_store.h"
#include "server/rpc/admission.h"
#include "server/store/model_store.h"
#include "tersor/v1/model_service.grpc.pb.h"

namespace tersor {

// Thread-safe. All references outlive it.
class ModelServiceImpl final : public v1::ModelService::Service {
 public:
  ModelServiceImpl(ModelStore& store, ModelCatalog& catalog, UploadStore& uploads, GarbageCollector& garbage,
                   Admission& admission)
      : store_(store), catalog_(catalog), uploads_(uploads), garbage_(garbage), admission_(admission) {}

  grpc::Status ImportModel(grpc::ServerContext*, const v1::ImportModelRequest* request, v1::Model* response) override;
  grpc::Status StartUpload(grpc::ServerContext*, const v1::StartUploadRequest* request,
                           v1::StartUploadResponse* response) override;
  grpc::Status UploadFile(grpc::ServerContext* context, grpc::ServerReader<v1::UploadFileRequest>* reader,
                          v1::UploadFileResponse* response) override;
  grpc::Status FinishUpload(grpc::ServerContext*, const v1::FinishUploadRequest* request, v1::Model* response) override;
  grpc::Status GetModel(grpc::ServerContext*, const v1::GetModelRequest* request, v1::Model* response) override;
  grpc::Status ListModels(grpc::ServerContext*, const v1::ListModelsRequest* request,
                          v1::ListModelsResponse* response) override;
  grpc::Status DeleteModel(grpc::ServerContext*, const v1::DeleteModelRequest* request,
                           google::protobuf::Empty* response) override;

 private:
  ModelStore& store_;
  ModelCatalog& catalog_;
  UploadStore& uploads_;
  GarbageCollector& garbage_;
  Admission& admission_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_MODEL_SERVICE_H_
