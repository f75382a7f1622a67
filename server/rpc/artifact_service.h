// ArtifactService: the files a job wrote.
#ifndef TERSOR_SERVER_RPC_ARTIFACT_SERVICE_H_
#define TERSOR_SERVER_RPC_ARTIFACT_SERVICE_H_

#include "server/rpc/stream_limit.h"
#include "server/store/data_folder.h"
#include "server/store/job_store.h"
#include "tersor/v1/artifact_service.grpc.pb.h"

namespace tersor {

// Thread-safe. All references outlive it.
class ArtifactServiceImpl final : public v1::ArtifactService::Service {
 public:
  ArtifactServiceImpl(JobStore& store, const DataFolder& folder, StreamLimit& streams)
      : store_(store), folder_(folder), streams_(streams) {}

  grpc::Status ListArtifacts(grpc::ServerContext*, const v1::ListArtifactsRequest* request,
                             v1::ListArtifactsResponse* response) override;
  grpc::Status DownloadArtifact(grpc::ServerContext*, const v1::DownloadArtifactRequest* request,
                                grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) override;

 private:
  JobStore& store_;
  const DataFolder& folder_;
  StreamLimit& streams_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_ARTIFACT_SERVICE_H_
