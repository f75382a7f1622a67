// Answers of earlier jobs for equal ones.
#ifndef TERSOR_SERVER_ENGINE_ANSWER_CACHE_H_
#define TERSOR_SERVER_ENGINE_ANSWER_CACHE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "server/store/data_folder.h"
#include "server/store/job_store.h"

namespace tersor {

// Thread-safe.
class AnswerCache {
 public:
  AnswerCache(JobStore& store, const DataFolder& folder) : store_(store), folder_(folder) {}

  // The report of the newest succeeded job with the fingerprint of `job`'s plan whose files are all still there, made
  // out to `job` (id, labels) with cached_from set, after its files were hard-linked into the folder of `job`, so that
  // either job may be deleted; the report files are written anew. Nothing where there is no such job.
  absl::StatusOr<std::optional<v1::Report>> TakeAnswer(const v1::Job& job);

 private:
  JobStore& store_;
  const DataFolder& folder_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_ANSWER_CACHE_H_
