// ReportService.
#ifndef TERSOR_SERVER_RPC_REPORT_SERVICE_H_
#define TERSOR_SERVER_RPC_REPORT_SERVICE_H_

#include "server/rpc/grpc_status.h"
#include "server/store/data_folder.h"
#include "server/store/job_store.h"
#include "tersor/v1/report_service.grpc.pb.h"

namespace tersor {

// Thread-safe. What it is given outlives it.
class ReportServiceImpl final : public v1::ReportService::Service {
 public:
  ReportServiceImpl(JobStore& store, const DataFolder& folder) : store_(store), folder_(folder) {}

  grpc::Status GetReport(grpc::ServerContext*, const v1::GetReportRequest* request, v1::Report* response) override;
  grpc::Status CompareReports(grpc::ServerContext*, const v1::CompareReportsRequest* request,
                              v1::ReportComparison* response) override;

 private:
  JobStore& store_;
  const DataFolder& folder_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_REPORT_SERVICE_H_
