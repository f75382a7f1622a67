// What the stores hold, beside what clients see of it.
#ifndef TERSOR_SERVER_STORE_RECORDS_H_
#define TERSOR_SERVER_STORE_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tersor/v1/job_service.pb.h"
#include "tersor/v1/model_service.pb.h"

namespace tersor {

struct JobRecord {
  // What GetJob answers.
  v1::Job job;
  // Idempotency key; empty where the client gave none.
  std::string request_id;
  // The recipe's model resolved to a path.
  std::string model_path;
  // Short name for filters and metrics: "gptq", "rtn", "evaluate" (no stage), "mixed".
  std::string method;
  bool no_cache = false;
  bool cancel_requested = false;
  // Attempts that died; the job fails when they reach job.max_attempts.
  int failures = 0;
  // Order of submission; given by the store.
  int64_t ordinal = 0;
};

// Jobs of this method are sweeps: other jobs' parents, without attempts of their own.
inline constexpr char kSweepMethod[] = "sweep";
inline bool IsSweep(const JobRecord& record) { return record.method == kSweepMethod; }

// A job to be stored, with the report of an earlier one where that is its answer.
struct NewJob {
  JobRecord record;
  std::optional<v1::Report> answer = std::nullopt;
};

struct AttemptRecord {
  std::string job_id;
  int number = 0;
  std::string token_sha256;
  // The executor's; empty until the worker was started.
  std::string handle;
  absl::Time start_time;
  // Unset while the attempt is open.
  std::optional<absl::Time> end_time;
  // Number of the last event it published.
  int64_t last_event_number = 0;
};

// How an attempt ended and what becomes of its job.
struct AttemptOutcome {
  v1::JobState next = v1::JOB_STATE_QUEUED;
  std::string message = "";
  // Stable name, e.g. "WORKER_DIED"; empty where nothing went wrong.
  std::string reason = "";
  // Counts towards the job's tries.
  bool counts_as_failure = false;
  // For SUCCEEDED.
  std::optional<v1::Report> report = std::nullopt;
};

struct JobCount {
  v1::JobState state;
  std::string method;
  int64_t count;
};

struct UploadRecord {
  std::string id;
  std::string model_name;
  absl::Time create_time;
  std::vector<v1::FileDigest> files;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_RECORDS_H_
