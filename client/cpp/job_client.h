// JobService as plain functions.
#ifndef TERSOR_CLIENT_CPP_JOB_CLIENT_H_
#define TERSOR_CLIENT_CPP_JOB_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cpp/connection.h"
#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "tersor/v1/job_service.grpc.pb.h"

namespace tersor::client {

// Whether no event will follow this state.
bool IsTerminal(v1::JobState state);

// Thread-safe. Errors are the server's, with field violations where a recipe is at fault (see rpc_status.h).
class JobClient {
 public:
  explicit JobClient(Connection connection);

  absl::StatusOr<v1::Job> Submit(const v1::SubmitJobRequest& request) const;
  absl::StatusOr<v1::Job> Get(absl::string_view id) const;
  // Follows pages until `limit` jobs are there or no more are left.
  absl::StatusOr<std::vector<v1::Job>> List(absl::string_view filter, int limit) const;
  absl::StatusOr<v1::Job> Cancel(absl::string_view id) const;
  absl::Status Delete(absl::string_view id) const;
  absl::StatusOr<v1::Plan> Estimate(const v1::EstimateJobRequest& request) const;
  absl::StatusOr<v1::ListMethodsResponse> ListMethods() const;
  // `on_chunk` sees the pieces oldest first.
  absl::Status Logs(absl::string_view id, const std::function<void(const v1::LogChunk&)>& on_chunk,
                    const CancellationToken* cancellation = nullptr) const;
  absl::StatusOr<v1::CollectGarbageResponse> CollectGarbage(const v1::CollectGarbageRequest& request) const;

  const Connection& connection() const { return connection_; }
  v1::JobService::Stub& stub() const { return *stub_; }

 private:
  Connection connection_;
  std::unique_ptr<v1::JobService::Stub> stub_;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_JOB_CLIENT_H_
