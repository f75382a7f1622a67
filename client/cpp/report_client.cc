#include "client/cpp/report_client.h"

#include <string>

#include "client/cpp/unary_call.h"
#include "tersor/v1/report_service.grpc.pb.h"

namespace tersor::client {

absl::StatusOr<v1::Report> GetReport(const Connection& connection, absl::string_view job_id) {
  std::unique_ptr<v1::ReportService::Stub> stub = v1::ReportService::NewStub(connection.channel());
  v1::GetReportRequest request;
  request.set_job_id(std::string(job_id));
  return UnaryCall<v1::Report>(connection, connection.timeouts().lookup,
                               [&](auto* context, auto* report) { return stub->GetReport(context, request, report); });
}

absl::StatusOr<v1::ReportComparison> CompareReports(const Connection& connection,
                                                    const v1::CompareReportsRequest& request) {
  std::unique_ptr<v1::ReportService::Stub> stub = v1::ReportService::NewStub(connection.channel());
  return UnaryCall<v1::ReportComparison>(
      connection, connection.timeouts().lookup,
      [&](auto* context, auto* comparison) { return stub->CompareReports(context, request, comparison); });
}

}  // namespace tersor::client
