// A job's folder: who may work in it, what is already done.
#ifndef TERSOR_CORE_PIPELINE_WORKSPACE_H_
#define TERSOR_CORE_PIPELINE_WORKSPACE_H_

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// WORKSPACE/lock, /checkpoint and /artifacts. One process at a time: the lock is held until destruction.
// The checkpoint belongs to one fingerprint and one instruction set.
class Workspace {
 public:
  // Creates the folders. FAILED_PRECONDITION where another process works there, or where the checkpoint of this very
  // job was made with another instruction set (its bytes would differ); a checkpoint of another job is removed,
  // and with `fresh` any.
  static absl::StatusOr<std::unique_ptr<Workspace>> Open(const std::filesystem::path& folder,
                                                         absl::string_view fingerprint, absl::string_view isa,
                                                         bool fresh = false);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  std::filesystem::path checkpoint_dir() const { return folder_ / "checkpoint"; }
  // For MakeDiskCheckpoint.
  std::filesystem::path blocks_dir() const { return checkpoint_dir() / "blocks"; }
  std::filesystem::path artifacts_dir() const { return folder_ / "artifacts"; }
  // Whether an earlier run of the same job left work here.
  bool resumed() const { return resumed_; }

  // The report as far as it was filled when the last stage ended; empty for a new run.
  absl::StatusOr<v1::Report> LoadPartialReport() const;
  absl::Status SavePartialReport(const v1::Report& report) const;
  // Removes the blocks' files once the container is written; what is done stays known.
  void DropBlocks() const;

 private:
  Workspace(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  absl::Status AdoptCheckpoint(absl::string_view fingerprint, absl::string_view isa, bool fresh);
  std::filesystem::path report_path() const { return checkpoint_dir() / "report.pb"; }

  std::filesystem::path folder_;
  int lock_;
  bool resumed_ = false;
};

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_WORKSPACE_H_
