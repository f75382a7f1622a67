#include "server/auth/method_scopes.h"

#include "absl/strings/match.h"

namespace tersor {
namespace {

struct Row {
  absl::string_view rpc;
  v1::TokenScope scope;
};

constexpr Row kRows[] = {
    {"/tersor.v1.JobService/GetJob", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.JobService/ListJobs", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.JobService/WatchJob", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.JobService/GetJobLogs", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.JobService/ListMethods", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.ArtifactService/ListArtifacts", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.ArtifactService/DownloadArtifact", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.ReportService/GetReport", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.ReportService/CompareReports", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.ModelService/GetModel", v1::TOKEN_SCOPE_READ},
    {"/tersor.v1.ModelService/ListModels", v1::TOKEN_SCOPE_READ},
    // They compute, on files that the caller names.
    {"/tersor.v1.JobService/EstimateJob", v1::TOKEN_SCOPE_SUBMIT},
    {"/tersor.v1.ArtifactService/LintArtifact", v1::TOKEN_SCOPE_SUBMIT},
    {"/tersor.v1.JobService/SubmitJob", v1::TOKEN_SCOPE_SUBMIT},
    {"/tersor.v1.JobService/CancelJob", v1::TOKEN_SCOPE_SUBMIT},
    {"/tersor.v1.ModelService/ImportModel", v1::TOKEN_SCOPE_SUBMIT},
    {"/tersor.v1.ModelService/StartUpload", v1::TOKEN_SCOPE_SUBMIT},
    {"/tersor.v1.ModelService/UploadFile", v1::TOKEN_SCOPE_SUBMIT},
    {"/tersor.v1.ModelService/FinishUpload", v1::TOKEN_SCOPE_SUBMIT},
    {"/tersor.v1.JobService/DeleteJob", v1::TOKEN_SCOPE_ADMIN},
    {"/tersor.v1.JobService/CollectGarbage", v1::TOKEN_SCOPE_ADMIN},
    {"/tersor.v1.ModelService/DeleteModel", v1::TOKEN_SCOPE_ADMIN},
    {"/tersor.v1.TokenService/CreateToken", v1::TOKEN_SCOPE_ADMIN},
    {"/tersor.v1.TokenService/ListTokens", v1::TOKEN_SCOPE_ADMIN},
    {"/tersor.v1.TokenService/RevokeToken", v1::TOKEN_SCOPE_ADMIN},
};

}  // namespace

v1::TokenScope ScopeOfRpc(absl::string_view rpc) {
  if (absl::StartsWith(rpc, "/grpc.health.v1.Health/")) return v1::TOKEN_SCOPE_UNSPECIFIED;
  if (absl::StartsWith(rpc, "/grpc.reflection.")) return v1::TOKEN_SCOPE_READ;
  for (const Row& row : kRows) {
    if (row.rpc == rpc) return row.scope;
  }
  return v1::TOKEN_SCOPE_ADMIN;
}

}  // namespace tersor
