#include "server/engine/upload_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "server/base/error_details.h"
#include "server/base/random_token.h"
#include "server/engine/upload_check.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

int64_t SizeOrZero(const fs::path& path) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(bytes);
}

std::vector<std::string> MissingFiles(const UploadRecord& upload, const UploadStore& store) {
  std::vector<std::string> missing;
  std::error_code error;
  for (const v1::FileDigest& file : upload.files) {
    if (!fs::exists(store.BlobPath(file.sha256()), error)) missing.push_back(file.path());
  }
  return missing;
}

}  // namespace

UploadWriter::~UploadWriter() {
  if (fd_ < 0) return;
  close(fd_);
  store_.Release(file_.sha256());
}

absl::Status UploadWriter::Append(absl::string_view chunk) {
  if (chunk.size() > static_cast<uint64_t>(file_.bytes() - size_)) {
    return FieldError("chunk", absl::StrCat(file_.path(), ": more bytes than the ", file_.bytes(), " announced"));
  }
  while (!chunk.empty()) {
    const ssize_t written = write(fd_, chunk.data(), chunk.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "writing uploaded file", file_.path());
    chunk.remove_prefix(static_cast<size_t>(written));
    size_ += written;
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::UploadFileResponse> UploadWriter::Finish() {
  v1::UploadFileResponse response;
  response.set_offset(size_);
  response.set_complete(size_ == file_.bytes());
  if (!response.complete() || fd_ < 0) return response;
  const fs::path part = store_.PartPath(file_.sha256());
  TERSOR_ASSIGN_OR_RETURN(const std::string digest, Sha256HexOfFile(part));
  if (digest != file_.sha256()) {
    std::error_code error;
    fs::remove(part, error);
    return WithReason(absl::DataLossError(absl::StrCat(file_.path(), ": the bytes that arrived have SHA-256 ", digest,
                                                       ", announced was ", file_.sha256(), "; send it again from 0")),
                      "DIGEST_MISMATCH");
  }
  if (fsync(fd_) != 0) return ErrnoStatus(errno, "syncing", part);
  if (rename(part.c_str(), store_.BlobPath(file_.sha256()).c_str()) != 0) return ErrnoStatus(errno, "renaming", part);
  return response;
}

fs::path UploadStore::BlobPath(absl::string_view sha256) const { return folder_.blobs() / std::string(sha256); }

fs::path UploadStore::PartPath(absl::string_view sha256) const {
  return folder_.blobs() / absl::StrCat(sha256, ".part");
}

int64_t UploadStore::BytesPresent(const v1::FileDigest& file) const {
  std::error_code error;
  if (fs::exists(BlobPath(file.sha256()), error)) return file.bytes();
  return std::min<int64_t>(SizeOrZero(PartPath(file.sha256())), file.bytes());
}

absl::StatusOr<v1::StartUploadResponse> UploadStore::Start(const v1::StartUploadRequest& request) {
  const std::vector<FieldViolation> violations = CheckStartUpload(request);
  if (!violations.empty()) return BadRequestError(violations, "INVALID_REQUEST");
  UploadRecord upload;
  upload.id = absl::StrCat("upload-", RandomHex(8));
  upload.model_name = request.name();
  upload.create_time = clock_.Now();
  upload.files.assign(request.files().begin(), request.files().end());
  v1::StartUploadResponse response;
  response.set_upload_id(upload.id);
  for (const v1::FileDigest& file : upload.files) {
    // An empty file has nothing to send: it is there when its digest is that of no bytes.
    std::error_code error;
    if (file.bytes() == 0 && file.sha256() == Sha256Hex("") && !fs::exists(BlobPath(file.sha256()), error)) {
      TERSOR_RETURN_IF_ERROR(WriteFileAtomically(BlobPath(file.sha256()), ""));
    }
    auto* state = response.add_files();
    state->set_path(file.path());
    state->set_offset(BytesPresent(file));
  }
  TERSOR_RETURN_IF_ERROR(models_.InsertUpload(upload));
  return response;
}

absl::StatusOr<std::unique_ptr<UploadWriter>> UploadStore::Open(const v1::UploadFileRequest::Header& header) {
  TERSOR_ASSIGN_OR_RETURN(const UploadRecord upload, models_.GetUpload(header.upload_id()));
  const auto file = std::find_if(upload.files.begin(), upload.files.end(),
                                 [&](const v1::FileDigest& each) { return each.path() == header.path(); });
  if (file == upload.files.end()) {
    return FieldError("header.path", absl::StrCat("upload ", upload.id, " has no file \"", header.path(), "\""));
  }
  const MutexLock lock(mutex_);
  const int64_t present = BytesPresent(*file);
  std::error_code error;
  if (fs::exists(BlobPath(file->sha256()), error)) {
    return std::unique_ptr<UploadWriter>(new UploadWriter(*this, *file, -1, file->bytes()));
  }
  if (arriving_.count(file->sha256()) != 0) {
    return WithReason(absl::AbortedError(absl::StrCat(header.path(), ": another stream sends the same content")),
                      "UPLOAD_BUSY");
  }
  if (header.offset() != present) {
    return WithReason(absl::FailedPreconditionError(
                          absl::StrCat(header.path(), ": the server has ", present, " bytes, not ", header.offset())),
                      "WRONG_OFFSET", {{"offset", absl::StrCat(present)}});
  }
  const fs::path part = PartPath(file->sha256());
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus(errno, "opening", part);
  arriving_.insert(file->sha256());
  return std::unique_ptr<UploadWriter>(new UploadWriter(*this, *file, fd, present));
}

void UploadStore::Release(const std::string& sha256) {
  const MutexLock lock(mutex_);
  arriving_.erase(sha256);
}

absl::Status UploadStore::LinkModel(const UploadRecord& upload, const fs::path& folder) const {
  const fs::path temporary = folder_.models() / absl::StrCat(".", upload.id);
  std::error_code error;
  fs::remove_all(temporary, error);
  for (const v1::FileDigest& file : upload.files) {
    const fs::path target = temporary / file.path();
    fs::create_directories(target.parent_path(), error);
    if (!error) fs::create_hard_link(BlobPath(file.sha256()), target, error);
    if (error) return ErrnoStatus(error.value(), "linking", target);
  }
  return CommitFolder(temporary, folder);
}

bool UploadStore::IsSameModel(const UploadRecord& upload, const fs::path& folder) const {
  return std::all_of(upload.files.begin(), upload.files.end(), [&](const v1::FileDigest& file) {
    std::error_code error;
    return fs::equivalent(folder / file.path(), BlobPath(file.sha256()), error) && !error;
  });
}

absl::StatusOr<v1::Model> UploadStore::Finish(absl::string_view upload_id, CallerGone gone) {
  TERSOR_ASSIGN_OR_RETURN(const UploadRecord upload, models_.GetUpload(upload_id));
  const std::vector<std::string> missing = MissingFiles(upload, *this);
  if (!missing.empty()) {
    return WithReason(absl::FailedPreconditionError(absl::StrCat("not yet complete: ", absl::StrJoin(missing, ", "))),
                      "UPLOAD_INCOMPLETE");
  }
  // Of two uploads for one name, one is made a model of after the other; what was asked above may have changed since.
  const NameLocks::Hold hold(catalog_.names(), upload.model_name);
  const fs::path folder = folder_.models() / upload.model_name;
  const absl::StatusOr<v1::Model> registered = models_.GetModel(upload.model_name);
  if (registered.ok()) {
    if (registered->uploaded() && IsSameModel(upload, folder)) {
      TERSOR_RETURN_IF_ERROR(models_.DeleteUploadsOf(upload.model_name));
      return registered;
    }
    return WithReason(absl::AlreadyExistsError(absl::StrCat("another model is registered as \"", upload.model_name,
                                                            "\": choose another name or delete it first")),
                      "MODEL_EXISTS");
  }
  TERSOR_RETURN_IF_ERROR(LinkModel(upload, folder));
  const bool is_gguf = upload.files.size() == 1 && fs::path(upload.files[0].path()).extension() == ".gguf";
  absl::StatusOr<v1::Model> model =
      catalog_.Register(is_gguf ? folder / upload.files[0].path() : folder, upload.model_name, true, gone);
  if (model.ok()) {
    TERSOR_RETURN_IF_ERROR(models_.DeleteUploadsOf(upload.model_name));
  } else {
    std::error_code error;
    fs::remove_all(folder, error);
  }
  return model;
}

}  // namespace tersor
