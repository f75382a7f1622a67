// ReportService as a plain function.
#ifndef TERSOR_CLIENT_CPP_REPORT_CLIENT_H_
#define TERSOR_CLIENT_CPP_REPORT_CLIENT_H_

#include "absl/strings/string_view.h"
#include "client/cpp/connection.h"
#include "core/base/status.h"
#include "tersor/v1/report.pb.h"
#include "tersor/v1/report_service.pb.h"

namespace tersor::client {

// NOT_FOUND for an unknown job, FAILED_PRECONDITION while it has no report.
absl::StatusOr<v1::Report> GetReport(const Connection& connection, absl::string_view job_id);

// The same for each job; FAILED_PRECONDITION too where protocols differ and `force` is not set.
absl::StatusOr<v1::ReportComparison> CompareReports(const Connection& connection,
                                                    const v1::CompareReportsRequest& request);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_REPORT_CLIENT_H_
