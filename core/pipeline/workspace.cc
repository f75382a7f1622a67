#include "core/pipeline/workspace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

absl::Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return ErrnoStatus(error.value(), "creating folder", folder);
  return absl::OkStatus();
}

}  // namespace

Workspace::~Workspace() { close(lock_); }

absl::StatusOr<std::unique_ptr<Workspace>> Workspace::Open(const fs::path& folder, absl::string_view fingerprint,
                                                           absl::string_view isa, bool fresh) {
  TERSOR_RETURN_IF_ERROR(MakeFolder(folder));
  const fs::path lock_path = folder / "lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return ErrnoStatus(errno, "opening lock", lock_path);
  std::unique_ptr<Workspace> workspace(new Workspace(folder, lock));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("another process works in ", folder.string(), "; wait for it or choose another workspace"));
  }
  TERSOR_RETURN_IF_ERROR(MakeFolder(workspace->artifacts_dir()));
  TERSOR_RETURN_IF_ERROR(workspace->AdoptCheckpoint(fingerprint, isa, fresh));
  return workspace;
}

absl::Status Workspace::AdoptCheckpoint(absl::string_view fingerprint, absl::string_view isa, bool fresh) {
  const fs::path owner = checkpoint_dir() / "owner";
  absl::StatusOr<std::string> text = ReadFile(owner, 4096);
  if (text.ok() && !fresh) {
    const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
    if (lines.size() >= 2 && lines[0] == fingerprint) {
      if (lines[1] != isa) {
        return absl::FailedPreconditionError(
            absl::StrCat("the checkpoint in ", checkpoint_dir().string(), " was made with ", lines[1],
                         ", this CPU uses ", isa, ": the bytes would differ; remove that folder to start anew"));
      }
      resumed_ = true;
      return absl::OkStatus();
    }
  }
  std::error_code error;
  fs::remove_all(checkpoint_dir(), error);
  TERSOR_RETURN_IF_ERROR(MakeFolder(blocks_dir()));
  return WriteFileAtomically(owner, absl::StrCat(fingerprint, "\n", isa, "\n"));
}

absl::StatusOr<v1::Report> Workspace::LoadPartialReport() const {
  v1::Report report;
  absl::StatusOr<std::string> bytes = ReadFile(report_path());
  if (absl::IsNotFound(bytes.status())) return report;
  TERSOR_RETURN_IF_ERROR(bytes.status());
  if (!report.ParseFromString(*bytes)) {
    return absl::DataLossError(
        absl::StrCat("damaged checkpoint: ", report_path().string(), "; remove that folder to start anew"));
  }
  return report;
}

absl::Status Workspace::SavePartialReport(const v1::Report& report) const {
  return WriteFileAtomically(report_path(), report.SerializeAsString());
}

void Workspace::DropBlocks() const {
  std::error_code error;
  for (fs::directory_iterator entry(blocks_dir(), error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    fs::remove(entry->path(), ignored);
  }
}

}  // namespace tersor
