// A tersord of memory alone, for tests of the client: scripted jobs, real streams over a real port.
#ifndef TERSOR_TESTS_CLIENT_TESTING_FAKE_SERVER_H_
#define TERSOR_TESTS_CLIENT_TESTING_FAKE_SERVER_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpcpp/server.h"
#include "tersor/v1/artifact_service.grpc.pb.h"
#include "tersor/v1/job_service.grpc.pb.h"
#include "tersor/v1/model_service.grpc.pb.h"
#include "tersor/v1/report_service.grpc.pb.h"
#include "tersor/v1/token_service.grpc.pb.h"

namespace tersor::client {

// What the fake knows and has heard; set it up before calls, look at it after them.
struct FakeState {
  std::mutex mutex;

  // Jobs. A watch of `job` gives `events`, broken off with `break_status` after every `break_after` of them (0: never),
  // and hangs where the last event does not end the job.
  v1::Job job;
  std::vector<v1::Event> events;
  int break_after = 0;
  grpc::Status break_status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining");
  std::vector<int64_t> watches;
  // Answer of SubmitJob and EstimateJob where it is not OK.
  grpc::Status submit_status;
  std::vector<v1::SubmitJobRequest> submits;
  v1::Plan plan;
  int cancels = 0;
  std::vector<v1::LogChunk> logs;
  v1::Report report;
  std::vector<v1::Job> jobs;
  std::vector<v1::CollectGarbageRequest> collections;
  v1::CollectGarbageResponse garbage;

  // Uploads: bytes by SHA-256. A stream is broken off after `break_upload_after` bytes (-1: never), once.
  std::map<std::string, std::string> blobs;
  int64_t break_upload_after = -1;
  int64_t uploaded_bytes = 0;
  v1::StartUploadRequest upload;
  std::vector<v1::Model> models;
  std::vector<std::string> imports;

  // Tokens: requests to make them, ids of those to revoke, what ListTokens answers, the header of the last call.
  std::vector<v1::CreateTokenRequest> new_tokens;
  std::vector<std::string> revoked;
  std::vector<v1::Token> tokens;
  std::string authorization;

  // Downloads: files by path. A stream is broken off after `break_download_after` bytes (-1: never), once.
  std::vector<v1::ArtifactInfo> artifacts;
  std::map<std::string, std::string> files;
  int64_t break_download_after = -1;
  int64_t downloaded_bytes = 0;
  std::vector<int64_t> download_offsets;
};

class FakeServer {
 public:
  FakeServer();
  ~FakeServer();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  FakeState& state() { return state_; }
  void Stop();
  // On the port it had.
  void Start();

 private:
  FakeState state_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

// INVALID_ARGUMENT with google.rpc.BadRequest details, one for each {field, description}.
grpc::Status ViolationsStatus(const std::vector<std::pair<std::string, std::string>>& violations);

v1::Event StateEvent(int64_t sequence, v1::JobState state);
v1::Event ProgressEvent(int64_t sequence, const std::string& stage, int done, int total);

}  // namespace tersor::client

#endif  // TERSOR_TESTS_CLIENT_TESTING_FAKE_SERVER_H_
