// The services' stubs with the few calls that most tests make.
#ifndef TERSOR_TESTS_SERVER_TESTING_SERVICE_CLIENT_H_
#define TERSOR_TESTS_SERVER_TESTING_SERVICE_CLIENT_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "tersor/v1/artifact_service.grpc.pb.h"
#include "tersor/v1/job_service.grpc.pb.h"
#include "tersor/v1/model_service.grpc.pb.h"
#include "tersor/v1/report_service.grpc.pb.h"

namespace tersor::testing {

// Every call waits at most a minute. Thread-safe.
class ServiceClient {
 public:
  // In plain text.
  explicit ServiceClient(const std::string& address);
  explicit ServiceClient(std::shared_ptr<grpc::Channel> channel);

  grpc::Status Submit(const v1::SubmitJobRequest& request, v1::Job* job);
  v1::Job Get(const std::string& id);
  grpc::Status Cancel(const std::string& id, v1::Job* job);
  // Events after `after` until the stream ends or `stop` says so, which also ends the watch.
  grpc::Status Watch(const std::string& id, int64_t after, const std::function<bool(const v1::Event&)>& stop,
                     std::vector<v1::Event>* events);
  grpc::Status Report(const std::string& id, v1::Report* report);
  grpc::Status Download(const std::string& id, const std::string& path, int64_t offset, std::string* bytes,
                        int64_t* total = nullptr);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::JobService::Stub& jobs() { return *jobs_; }
  v1::ModelService::Stub& models() { return *models_; }
  v1::ArtifactService::Stub& artifacts() { return *artifacts_; }
  v1::ReportService::Stub& reports() { return *reports_; }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::JobService::Stub> jobs_;
  const std::unique_ptr<v1::ModelService::Stub> models_;
  const std::unique_ptr<v1::ArtifactService::Stub> artifacts_;
  const std::unique_ptr<v1::ReportService::Stub> reports_;
};

// The detail of this type in the status's google.rpc.Status; an empty message where there is none.
google::rpc::BadRequest BadRequestOf(const grpc::Status& status);
google::rpc::ErrorInfo ErrorInfoOf(const grpc::Status& status);

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_TESTING_SERVICE_CLIENT_H_
