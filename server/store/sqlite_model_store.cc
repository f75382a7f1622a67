#include "server/store/sqlite_model_store.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

absl::StatusOr<std::vector<v1::Model>> SqliteModelStore::Select(absl::string_view where,
                                                                const std::vector<SqlValue>& values) {
  std::vector<v1::Model> models;
  TERSOR_RETURN_IF_ERROR(
      database_.sql->Query(absl::StrCat("SELECT model FROM models ", where), values, [&](const SqlRow& row) {
        return models.emplace_back().ParseFromString(row.Bytes(0))
                   ? absl::OkStatus()
                   : absl::DataLossError("a stored model cannot be read");
      }));
  return models;
}

absl::Status SqliteModelStore::InsertModel(const v1::Model& model) {
  const MutexLock lock(database_.mutex);
  TERSOR_ASSIGN_OR_RETURN(const std::vector<v1::Model> same, Select("WHERE name = ?", {model.name()}));
  if (!same.empty()) {
    if (same.front().info().sha256() == model.info().sha256() && same.front().info().path() == model.info().path()) {
      return absl::OkStatus();
    }
    return absl::AlreadyExistsError(absl::StrCat("a model named \"", model.name(), "\" is registered from ",
                                                 same.front().info().path(),
                                                 ": choose another name or delete it first"));
  }
  return database_.sql->Run("INSERT INTO models VALUES (?, ?, ?)",
                            {model.name(), model.info().sha256(), SqlBlob{model.SerializeAsString()}});
}

absl::StatusOr<v1::Model> SqliteModelStore::GetModel(absl::string_view name) {
  const MutexLock lock(database_.mutex);
  TERSOR_ASSIGN_OR_RETURN(std::vector<v1::Model> found, Select("WHERE name = ?", {std::string(name)}));
  if (found.empty()) return absl::NotFoundError(absl::StrCat("no model named \"", name, "\""));
  return std::move(found.front());
}

absl::StatusOr<std::vector<v1::Model>> SqliteModelStore::ListModels(int limit, absl::string_view after_name) {
  const MutexLock lock(database_.mutex);
  return Select("WHERE name > ? ORDER BY name LIMIT ?", {std::string(after_name), int64_t{limit}});
}

absl::Status SqliteModelStore::DeleteModel(absl::string_view name) {
  const MutexLock lock(database_.mutex);
  TERSOR_RETURN_IF_ERROR(database_.sql->Run("DELETE FROM models WHERE name = ?", {std::string(name)}));
  if (database_.sql->Changes() == 0) return absl::NotFoundError(absl::StrCat("no model named \"", name, "\""));
  return absl::OkStatus();
}

absl::Status SqliteModelStore::InsertUpload(const UploadRecord& upload) {
  const MutexLock lock(database_.mutex);
  return database_.sql->InTransaction([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_RETURN_IF_ERROR(database_.sql->Run("INSERT INTO uploads VALUES (?, ?, ?)",
                                              {upload.id, upload.model_name, absl::ToUnixMillis(upload.create_time)}));
    for (const v1::FileDigest& file : upload.files) {
      TERSOR_RETURN_IF_ERROR(database_.sql->Run("INSERT INTO upload_files VALUES (?, ?, ?, ?)",
                                                {upload.id, file.path(), int64_t{file.bytes()}, file.sha256()}));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<UploadRecord>> SqliteModelStore::SelectUploads(absl::string_view where,
                                                                          const std::vector<SqlValue>& values) {
  std::vector<UploadRecord> uploads;
  TERSOR_RETURN_IF_ERROR(database_.sql->Query(
      absl::StrCat("SELECT id, model_name, create_ms FROM uploads ", where), values, [&](const SqlRow& row) {
        uploads.push_back({row.Bytes(0), row.Bytes(1), absl::FromUnixMillis(row.Int(2)), {}});
        return absl::OkStatus();
      }));
  for (UploadRecord& upload : uploads) {
    TERSOR_RETURN_IF_ERROR(
        database_.sql->Query("SELECT path, bytes, sha256 FROM upload_files WHERE upload_id = ? ORDER BY path",
                             {upload.id}, [&](const SqlRow& row) {
                               v1::FileDigest& file = upload.files.emplace_back();
                               file.set_path(row.Bytes(0));
                               file.set_bytes(row.Int(1));
                               file.set_sha256(row.Bytes(2));
                               return absl::OkStatus();
                             }));
  }
  return uploads;
}

absl::StatusOr<UploadRecord> SqliteModelStore::GetUpload(absl::string_view id) {
  const MutexLock lock(database_.mutex);
  TERSOR_ASSIGN_OR_RETURN(std::vector<UploadRecord> found, SelectUploads("WHERE id = ?", {std::string(id)}));
  if (found.empty()) return absl::NotFoundError(absl::StrCat("no upload \"", id, "\": start it anew"));
  return std::move(found.front());
}

absl::Status SqliteModelStore::DeleteUpload(absl::string_view id) {
  const MutexLock lock(database_.mutex);
  return database_.sql->Run("DELETE FROM uploads WHERE id = ?", {std::string(id)});
}

absl::Status SqliteModelStore::DeleteUploadsOf(absl::string_view model_name) {
  const MutexLock lock(database_.mutex);
  return database_.sql->Run("DELETE FROM uploads WHERE model_name = ?", {std::string(model_name)});
}

absl::StatusOr<std::vector<UploadRecord>> SqliteModelStore::UploadsBefore(absl::Time before) {
  const MutexLock lock(database_.mutex);
  return SelectUploads("WHERE create_ms < ? ORDER BY create_ms", {absl::ToUnixMillis(before)});
}

}  // namespace tersor
