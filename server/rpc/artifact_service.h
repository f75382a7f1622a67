// ArtifactService: the files a job wrote.
#ifndef TERSOR_SERVER_RPC_ARTIFACT_SERVICE_H_
#define TERSOR_SERVER_RPC_ARTIFACT_SERVICE_H_

#include "server/engine/model_catalog.h"
#include "server/engine/planner.h"
#include "server/rpc/admission.h"
#include "server/store/data_folder.h"
#include "server/store/job_store.h"
#include "tersor/v1/artifact_service.grpc.pb.h"

namespace tersor {

// Thread-safe. All references outlive it.
class ArtifactServiceImpl final : public v1::ArtifactService::Service {
 public:
  ArtifactServiceImpl(JobStore& store, const DataFolder& folder, Admission& admission, ModelCatalog& catalog,
                      Planner& planner)
      : store_(store), folder_(folder), admission_(admission), catalog_(catalog), planner_(planner) {}

  grpc::Status ListArtifacts(grpc::ServerContext*, const v1::ListArtifactsRequest* request,
                             v1::ListArtifactsResponse* response) override;
  grpc::Status DownloadArtifact(grpc::ServerContext*, const v1::DownloadArtifactRequest* request,
                                grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) override;

  grpc::Status LintArtifact(grpc::ServerContext*, const v1::LintArtifactRequest* request,
                            v1::LintReport* response) override;

 private:
  absl::StatusOr<v1::LintReport> Lint(const v1::LintArtifactRequest& request, CallerGone gone);
  absl::StatusOr<std::filesystem::path> SubjectOf(const v1::LintArtifactRequest& request);

  JobStore& store_;
  const DataFolder& folder_;
  Admission& admission_;
  ModelCatalog& catalog_;
  Planner& planner_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_ARTIFACT_SERVICE_H_
