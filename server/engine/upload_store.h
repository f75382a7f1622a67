// Models that clients send, kept by content so that no byte is sent twice.
#ifndef TERSOR_SERVER_ENGINE_UPLOAD_STORE_H_
#define TERSOR_SERVER_ENGINE_UPLOAD_STORE_H_

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/engine/model_catalog.h"
#include "server/store/data_folder.h"
#include "server/store/model_store.h"

namespace tersor {

class UploadStore;

// One file while its bytes arrive. Not thread-safe. Bytes that were appended stay when it is destroyed: the upload goes
// on from there.
class UploadWriter {
 public:
  ~UploadWriter();
  UploadWriter(const UploadWriter&) = delete;
  UploadWriter& operator=(const UploadWriter&) = delete;

  // INVALID_ARGUMENT when more bytes come than were announced, RESOURCE_EXHAUSTED on a full disk.
  absl::Status Append(absl::string_view chunk);
  // Bytes that the server has; complete when they are all there and their SHA-256 is right. DATA_LOSS when it is not:
  // the bytes are dropped and the file starts again from 0.
  absl::StatusOr<v1::UploadFileResponse> Finish();

 private:
  friend class UploadStore;
  UploadWriter(UploadStore& store, v1::FileDigest file, int fd, int64_t size)
      : store_(store), file_(std::move(file)), fd_(fd), size_(size) {}

  UploadStore& store_;
  const v1::FileDigest file_;
  // -1 where the server has the whole file already.
  int fd_;
  int64_t size_;
};

// Thread-safe.
class UploadStore {
 public:
  UploadStore(ModelStore& models, ModelCatalog& catalog, const DataFolder& folder, const Clock& clock)
      : models_(models), catalog_(catalog), folder_(folder), clock_(clock) {}

  absl::StatusOr<v1::StartUploadResponse> Start(const v1::StartUploadRequest& request);
  // FAILED_PRECONDITION when the offset is not where the server stands, ABORTED while another stream sends the same
  // content.
  absl::StatusOr<std::unique_ptr<UploadWriter>> Open(const v1::UploadFileRequest::Header& header);
  // Makes a model of the files and forgets every upload for its name; FAILED_PRECONDITION lists the missing files.
  absl::StatusOr<v1::Model> Finish(absl::string_view upload_id, CallerGone gone);

  std::filesystem::path BlobPath(absl::string_view sha256) const;
  std::filesystem::path PartPath(absl::string_view sha256) const;

 private:
  friend class UploadWriter;
  int64_t BytesPresent(const v1::FileDigest& file) const;
  absl::Status LinkModel(const UploadRecord& upload, const std::filesystem::path& folder) const;
  bool IsSameModel(const UploadRecord& upload, const std::filesystem::path& folder) const;
  void Release(const std::string& sha256);

  ModelStore& models_;
  ModelCatalog& catalog_;
  const DataFolder& folder_;
  const Clock& clock_;
  Mutex mutex_;
  // Digests that a stream is sending.
  std::set<std::string> arriving_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_UPLOAD_STORE_H_
