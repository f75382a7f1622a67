// Where registered models and unfinished uploads live.
#ifndef TERSOR_SERVER_STORE_MODEL_STORE_H_
#define TERSOR_SERVER_STORE_MODEL_STORE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/status.h"
#include "server/store/records.h"

namespace tersor {

// Thread-safe, durable when a call returns. Unknown names are NOT_FOUND.
class ModelStore {
 public:
  virtual ~ModelStore() = default;

  // ALREADY_EXISTS when the name is taken by other content.
  virtual absl::Status InsertModel(const v1::Model& model) = 0;
  virtual absl::StatusOr<v1::Model> GetModel(absl::string_view name) = 0;
  // By name, those after `after_name`, at most `limit`.
  virtual absl::StatusOr<std::vector<v1::Model>> ListModels(int limit, absl::string_view after_name) = 0;
  virtual absl::Status DeleteModel(absl::string_view name) = 0;

  virtual absl::Status InsertUpload(const UploadRecord& upload) = 0;
  virtual absl::StatusOr<UploadRecord> GetUpload(absl::string_view id) = 0;
  virtual absl::Status DeleteUpload(absl::string_view id) = 0;
  virtual absl::Status DeleteUploadsOf(absl::string_view model_name) = 0;
  virtual absl::StatusOr<std::vector<UploadRecord>> UploadsBefore(absl::Time before) = 0;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_MODEL_STORE_H_
