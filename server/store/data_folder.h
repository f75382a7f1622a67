// The server's folder on disk: who holds it, and where things lie in it.
#ifndef TERSOR_SERVER_STORE_DATA_FOLDER_H_
#define TERSOR_SERVER_STORE_DATA_FOLDER_H_

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Layout, all below the root, which only its owner may enter:
//   tersor.db                jobs, events, attempts, models, uploads
//   endpoint, metrics-endpoint, worker-endpoint, workers.sock, lock, admin-token, audit.log
//   jobs/ID/{checkpoint,artifacts,attempts/N.log,token}
//   models/NAME/...          uploaded models: hard links to blobs
//   blobs/SHA256             uploaded files by content; SHA256.part while incomplete
//   cache/                   dense baselines, shared by jobs
class DataFolder {
 public:
  // Creates the folder and locks it until the object is destroyed. FAILED_PRECONDITION when another tersord holds it.
  static absl::StatusOr<std::unique_ptr<DataFolder>> Open(const std::filesystem::path& root);
  ~DataFolder();
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path database() const { return root_ / "tersor.db"; }
  std::filesystem::path endpoint_file() const { return root_ / "endpoint"; }
  std::filesystem::path worker_endpoint_file() const { return root_ / "worker-endpoint"; }
  std::filesystem::path metrics_endpoint_file() const { return root_ / "metrics-endpoint"; }
  std::filesystem::path admin_token_file() const { return root_ / "admin-token"; }
  std::filesystem::path audit_log() const { return root_ / "audit.log"; }
  std::filesystem::path models() const { return root_ / "models"; }
  std::filesystem::path blobs() const { return root_ / "blobs"; }
  std::filesystem::path cache() const { return root_ / "cache"; }
  std::filesystem::path jobs() const { return root_ / "jobs"; }
  // `id` comes from the store, never unchecked from a client.
  std::filesystem::path job(absl::string_view id) const { return jobs() / std::string(id); }
  std::filesystem::path artifacts(absl::string_view id) const { return job(id) / "artifacts"; }
  std::filesystem::path checkpoint(absl::string_view id) const { return job(id) / "checkpoint"; }
  std::filesystem::path token_file(absl::string_view id) const { return job(id) / "token"; }
  std::filesystem::path attempt_log(absl::string_view id, int attempt) const;

  // Creates the folders of a job.
  absl::Status CreateJob(absl::string_view id) const;

 private:
  DataFolder(std::filesystem::path root, int lock_fd) : root_(std::move(root)), lock_fd_(lock_fd) {}

  std::filesystem::path root_;
  int lock_fd_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_DATA_FOLDER_H_
