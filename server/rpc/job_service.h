// JobService: submit, look, watch, cancel.
#ifndef TERSOR_SERVER_RPC_JOB_SERVICE_H_
#define TERSOR_SERVER_RPC_JOB_SERVICE_H_

#include "server/engine/garbage_collector.h"
#include "server/engine/planner.h"
#include "server/engine/submission.h"
#include "server/engine/supervisor.h"
#include "server/rpc/admission.h"
#include "server/store/data_folder.h"
#include "server/store/job_store.h"
#include "tersor/v1/job_service.grpc.pb.h"

namespace tersor {

// Thread-safe. All references outlive it.
class JobServiceImpl final : public v1::JobService::Service {
 public:
  JobServiceImpl(JobStore& store, Submission& submission, Supervisor& supervisor, Planner& planner,
                 GarbageCollector& garbage, const DataFolder& folder, Admission& admission)
      : store_(store),
        submission_(submission),
        supervisor_(supervisor),
        planner_(planner),
        garbage_(garbage),
        folder_(folder),
        admission_(admission) {}

  grpc::Status SubmitJob(grpc::ServerContext*, const v1::SubmitJobRequest* request, v1::Job* response) override;
  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::Status ListJobs(grpc::ServerContext*, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override;
  grpc::Status CancelJob(grpc::ServerContext*, const v1::CancelJobRequest* request, v1::Job* response) override;
  grpc::Status DeleteJob(grpc::ServerContext*, const v1::DeleteJobRequest* request,
                         google::protobuf::Empty* response) override;
  grpc::Status WatchJob(grpc::ServerContext* context, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::Event>* writer) override;
  grpc::Status EstimateJob(grpc::ServerContext*, const v1::EstimateJobRequest* request, v1::Plan* response) override;
  grpc::Status ListMethods(grpc::ServerContext*, const v1::ListMethodsRequest* request,
                           v1::ListMethodsResponse* response) override;
  grpc::Status GetJobLogs(grpc::ServerContext* context, const v1::GetJobLogsRequest* request,
                          grpc::ServerWriter<v1::LogChunk>* writer) override;
  grpc::Status CollectGarbage(grpc::ServerContext*, const v1::CollectGarbageRequest* request,
                              v1::CollectGarbageResponse* response) override;

 private:
  // The job with its folder.
  absl::Status Delete(const std::string& id);

  JobStore& store_;
  Submission& submission_;
  Supervisor& supervisor_;
  Planner& planner_;
  GarbageCollector& garbage_;
  const DataFolder& folder_;
  Admission& admission_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_JOB_SERVICE_H_
