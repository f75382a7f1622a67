// ArtifactService: lists and fetches the files that a job wrote.
#ifndef TERSOR_CLIENT_CPP_ARTIFACT_CLIENT_H_
#define TERSOR_CLIENT_CPP_ARTIFACT_CLIENT_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cpp/backoff.h"
#include "client/cpp/connection.h"
#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "tersor/v1/artifact_service.grpc.pb.h"

namespace tersor::client {

struct DownloadOptions {
  const CancellationToken* cancellation = nullptr;
  BackoffOptions backoff;
  // Bytes of this file that are there, and in all. May be null.
  std::function<void(const std::string& path, int64_t done, int64_t total)> on_progress;
};

// Thread-safe.
class ArtifactClient {
 public:
  explicit ArtifactClient(Connection connection);

  absl::StatusOr<std::vector<v1::ArtifactInfo>> List(absl::string_view job_id) const;

  // Fetches one file of `job_id` to INTO/PATH by way of INTO/PATH.part-SHA, which a later call goes on with; it gets
  // its name after its SHA-256 was checked. A file that is there with the right content is not fetched again. Answers
  // whether bytes were fetched. INVALID_ARGUMENT for a path that would leave `into`.
  absl::StatusOr<bool> Download(absl::string_view job_id, const v1::ArtifactInfo::File& file,
                                const std::filesystem::path& into, const DownloadOptions& options) const;

  // What the server finds wrong with the artifact `name` of `job_id`, held against the model `reference` (a name that
  // the server knows; empty for none).
  absl::StatusOr<v1::LintReport> Lint(absl::string_view job_id, absl::string_view name,
                                      absl::string_view reference) const;
  // The same of a registered model.
  absl::StatusOr<v1::LintReport> LintModel(absl::string_view model, absl::string_view reference) const;

 private:
  absl::StatusOr<v1::LintReport> CallLint(const v1::LintArtifactRequest& request) const;
  // Appends to `part` from its present size on.
  absl::Status Fetch(absl::string_view job_id, const v1::ArtifactInfo::File& file, const std::filesystem::path& part,
                     const DownloadOptions& options) const;
  absl::Status FetchWithRetries(absl::string_view job_id, const v1::ArtifactInfo::File& file,
                                const std::filesystem::path& part, const DownloadOptions& options) const;

  Connection connection_;
  std::unique_ptr<v1::ArtifactService::Stub> stub_;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_ARTIFACT_CLIENT_H_
