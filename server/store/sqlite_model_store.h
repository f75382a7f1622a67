// The model store on SQLite.
#ifndef TERSOR_SERVER_STORE_SQLITE_MODEL_STORE_H_
#define TERSOR_SERVER_STORE_SQLITE_MODEL_STORE_H_

#include <string>
#include <vector>

#include "server/store/guarded_database.h"
#include "server/store/model_store.h"

namespace tersor {

// `database` outlives it.
class SqliteModelStore final : public ModelStore {
 public:
  explicit SqliteModelStore(GuardedDatabase& database) : database_(database) {}

  absl::Status InsertModel(const v1::Model& model) override;
  absl::StatusOr<v1::Model> GetModel(absl::string_view name) override;
  absl::StatusOr<std::vector<v1::Model>> ListModels(int limit, absl::string_view after_name) override;
  absl::Status DeleteModel(absl::string_view name) override;
  absl::Status InsertUpload(const UploadRecord& upload) override;
  absl::StatusOr<UploadRecord> GetUpload(absl::string_view id) override;
  absl::Status DeleteUpload(absl::string_view id) override;
  absl::Status DeleteUploadsOf(absl::string_view model_name) override;
  absl::StatusOr<std::vector<UploadRecord>> UploadsBefore(absl::Time before) override;

 private:
  absl::StatusOr<std::vector<v1::Model>> Select(absl::string_view where, const std::vector<SqlValue>& values)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  absl::StatusOr<std::vector<UploadRecord>> SelectUploads(absl::string_view where, const std::vector<SqlValue>& values)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);

  GuardedDatabase& database_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_SQLITE_MODEL_STORE_H_
