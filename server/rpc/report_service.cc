#include "server/rpc/report_service.h"

#include "absl/strings/str_cat.h"
#include "core/compare/comparison.h"
#include "core/compare/sweep_points.h"
#include "server/engine/removed_files.h"

namespace tersor {
namespace {

absl::StatusOr<v1::ReportComparison> Compare(JobStore& store, const v1::CompareReportsRequest& request) {
  // Before they are read: a report can be large.
  if (request.job_ids_size() > kMaxComparedReports) {
    return absl::InvalidArgumentError(
        absl::StrCat(request.job_ids_size(), " jobs are too many to compare; at most ", kMaxComparedReports));
  }
  ComparedReports compared;
  const bool several = request.job_ids_size() > 1;
  for (const std::string& id : request.job_ids()) {
    TERSOR_ASSIGN_OR_RETURN(v1::Report report, store.GetReport(id));
    TERSOR_RETURN_IF_ERROR(AddCompared(
        {id, std::move(report)}, several, [&](const std::string& point) { return store.GetReport(point); }, compared));
  }
  CompareOptions options;
  options.warnings = compared.warnings;
  options.force = request.force();
  if (request.confidence() != 0) options.confidence = request.confidence();
  return CompareReports(compared.reports, options);
}

}  // namespace

grpc::Status ReportServiceImpl::GetReport(grpc::ServerContext*, const v1::GetReportRequest* request,
                                          v1::Report* response) {
  const grpc::Status status = Answer(store_.GetReport(request->job_id()), response);
  if (status.ok()) ForgetRemovedFiles(folder_, *response);
  return status;
}

grpc::Status ReportServiceImpl::CompareReports(grpc::ServerContext*, const v1::CompareReportsRequest* request,
                                               v1::ReportComparison* response) {
  return Answer(Compare(store_, *request), response);
}

}  // namespace tersor
