#include "server/engine/garbage_collector.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "server/base/error_details.h"
#include "server/base/log.h"
#include "server/base/timestamp.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// A job's folder is made before the store knows the job.
constexpr absl::Duration kBeingMade = absl::Hours(1);
constexpr int64_t kDefaultMaxAgeSeconds = 30 * 24 * 3600;

absl::Time LastChange(const fs::path& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? absl::FromTimeT(info.st_mtime) : absl::InfiniteFuture();
}

bool IsLinkedElsewhere(const fs::path& path) {
  std::error_code error;
  return fs::hard_link_count(path, error) > 1 || error;
}

}  // namespace

absl::StatusOr<std::vector<GarbageCollector::Item>> GarbageCollector::FindJobItems(absl::Time now, LinkedBytes& files) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<JobRecord> ended, jobs_.EndedBefore(now));
  std::vector<Item> items;
  for (const JobRecord& record : ended) {
    const std::pair<const char*, fs::path> parts[] = {{"artifact", folder_.artifacts(record.job.id())},
                                                      {"checkpoint", folder_.checkpoint(record.job.id())}};
    for (const auto& [kind, path] : parts) {
      const int64_t bytes = files.Add(path);
      if (bytes > 0) items.push_back({kind, path, bytes, FromTimestamp(record.job.end_time()), ""});
    }
  }
  return items;
}

// Folders of jobs that the store does not know: it was restored from a backup, or a deletion was broken off.
absl::StatusOr<std::vector<GarbageCollector::Item>> GarbageCollector::FindOrphans(absl::Time now, LinkedBytes& files) {
  std::vector<Item> items;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.jobs(), error)) {
    const absl::StatusOr<JobRecord> job = jobs_.Get(entry.path().filename().string());
    if (job.ok()) continue;
    if (!absl::IsNotFound(job.status())) return job.status();
    const absl::Time changed = LastChange(entry.path());
    if (now - changed < kBeingMade) continue;
    items.push_back({"orphan", entry.path(), files.Add(entry.path()), changed, ""});
  }
  return items;
}

absl::StatusOr<std::vector<GarbageCollector::Item>> GarbageCollector::FindUploadItems(absl::Time now,
                                                                                      LinkedBytes& files) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<UploadRecord> uploads, models_.UploadsBefore(now));
  std::vector<Item> items;
  std::set<std::string> claimed;
  for (const UploadRecord& upload : uploads) {
    Item item{"upload", upload.id, 0, upload.create_time, upload.id};
    for (const v1::FileDigest& file : upload.files) {
      const fs::path part = folder_.blobs() / absl::StrCat(file.sha256(), ".part");
      std::error_code error;
      if (fs::exists(part, error)) item.last_used = std::max(item.last_used, LastChange(part));
      claimed.insert(file.sha256());
    }
    items.push_back(std::move(item));
  }
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.blobs(), error)) {
    const std::string digest = entry.path().stem().string();
    if (claimed.count(digest) != 0 || IsLinkedElsewhere(entry.path())) continue;
    items.push_back({"upload", entry.path(), files.Add(entry.path()), LastChange(entry.path()), ""});
  }
  return items;
}

// What lies in the cache's folders (baselines, statistics, digests) goes one by one.
std::vector<GarbageCollector::Item> GarbageCollector::FindCacheItems(LinkedBytes& files) {
  std::vector<Item> items;
  const auto add = [&](const fs::path& path) {
    items.push_back({"cache", path, files.Add(path), LastChange(path), ""});
  };
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.cache(), error)) {
    std::error_code failure;
    if (!entry.is_directory(failure)) {
      add(entry.path());
      continue;
    }
    for (const fs::directory_entry& inner : fs::directory_iterator(entry.path(), failure)) add(inner.path());
  }
  return items;
}

absl::Status GarbageCollector::Remove(const Item& item) {
  if (!item.upload_id.empty()) return models_.DeleteUpload(item.upload_id);
  std::error_code error;
  fs::remove_all(item.path, error);
  return error ? ErrnoStatus(error.value(), "removing", item.path) : absl::OkStatus();
}

absl::StatusOr<v1::CollectGarbageResponse> GarbageCollector::Collect(const v1::CollectGarbageRequest& request) {
  if (request.max_age_seconds() < 0) return FieldError("max_age_seconds", "must not be negative");
  if (request.max_bytes() < 0) return FieldError("max_bytes", "must not be negative");
  const absl::Time now = clock_.Now();
  const int64_t seconds = request.max_age_seconds() == 0 ? kDefaultMaxAgeSeconds : request.max_age_seconds();
  LinkedBytes files;
  TERSOR_ASSIGN_OR_RETURN(std::vector<Item> items, FindJobItems(now, files));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<Item> uploads, FindUploadItems(now, files));
  items.insert(items.end(), uploads.begin(), uploads.end());
  TERSOR_ASSIGN_OR_RETURN(const std::vector<Item> orphans, FindOrphans(now, files));
  items.insert(items.end(), orphans.begin(), orphans.end());
  const std::vector<Item> cached = FindCacheItems(files);
  items.insert(items.end(), cached.begin(), cached.end());
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.last_used < b.last_used; });
  int64_t kept = files.Total();
  v1::CollectGarbageResponse response;
  for (const Item& item : items) {
    const bool old = now - item.last_used > absl::Seconds(seconds);
    const bool over = request.max_bytes() > 0 && kept > request.max_bytes() && item.bytes > 0;
    if (!old && !over) continue;
    // Jobs with equal answers share files: they go with the last of their names.
    const int64_t freed = item.upload_id.empty() ? files.Remove(item.path) : 0;
    if (!request.dry_run()) TERSOR_RETURN_IF_ERROR(Remove(item));
    kept -= freed;
    auto* entry = response.add_items();
    entry->set_kind(item.kind);
    entry->set_path(item.path.string());
    entry->set_bytes(freed);
    entry->set_age_seconds(absl::ToInt64Seconds(now - item.last_used));
    response.set_bytes(response.bytes() + freed);
  }
  if (!request.dry_run()) Log(LogLevel::kInfo, "garbage collected", {{"bytes", response.bytes()}});
  return response;
}

absl::Status GarbageCollector::SweepBlobs() {
  LinkedBytes files;
  TERSOR_ASSIGN_OR_RETURN(const std::vector<Item> items, FindUploadItems(clock_.Now(), files));
  for (const Item& item : items) {
    if (item.upload_id.empty()) TERSOR_RETURN_IF_ERROR(Remove(item));
  }
  return absl::OkStatus();
}

}  // namespace tersor
