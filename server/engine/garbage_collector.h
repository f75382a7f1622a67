// Gives disk space back.
#ifndef TERSOR_SERVER_ENGINE_GARBAGE_COLLECTOR_H_
#define TERSOR_SERVER_ENGINE_GARBAGE_COLLECTOR_H_

#include <filesystem>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/engine/linked_bytes.h"
#include "server/store/data_folder.h"
#include "server/store/job_store.h"
#include "server/store/model_store.h"

namespace tersor {

// Thread-safe. Never touches jobs that have not ended, registered models or uploads younger than the age.
class GarbageCollector {
 public:
  GarbageCollector(JobStore& jobs, ModelStore& models, const DataFolder& folder, const Clock& clock)
      : jobs_(jobs), models_(models), folder_(folder), clock_(clock) {}

  // Artifacts and checkpoints of ended jobs, folders of no job that were not changed for an hour, unfinished uploads,
  // uploaded files of no model and cached baselines: what is older than max_age_seconds (0: 30 days), then oldest first
  // until no more than max_bytes is kept (0: no quota). Files that several jobs share count once, and are freed with
  // the last of them. Jobs keep their report and logs. With dry_run only the answer.
  absl::StatusOr<v1::CollectGarbageResponse> Collect(const v1::CollectGarbageRequest& request);

  // Removes uploaded files that neither a model nor an unfinished upload uses.
  absl::Status SweepBlobs();

 private:
  struct Item {
    std::string kind;
    std::filesystem::path path;
    // Of its files, those that other items share included.
    int64_t bytes = 0;
    absl::Time last_used;
    // The unfinished upload this stands for, if any.
    std::string upload_id;
  };
  absl::StatusOr<std::vector<Item>> FindJobItems(absl::Time now, LinkedBytes& files);
  absl::StatusOr<std::vector<Item>> FindOrphans(absl::Time now, LinkedBytes& files);
  absl::StatusOr<std::vector<Item>> FindUploadItems(absl::Time now, LinkedBytes& files);
  std::vector<Item> FindCacheItems(LinkedBytes& files);
  absl::Status Remove(const Item& item);

  JobStore& jobs_;
  ModelStore& models_;
  const DataFolder& folder_;
  const Clock& clock_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_GARBAGE_COLLECTOR_H_
