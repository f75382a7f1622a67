#include "server/store/job_state.h"

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr v1::JobState kStates[] = {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED,
                                    v1::JOB_STATE_FAILED, v1::JOB_STATE_CANCELLED};

bool IsLegal(v1::JobState from, v1::JobState to) {
  switch (from) {
    case v1::JOB_STATE_QUEUED:
      return to != v1::JOB_STATE_QUEUED && to != v1::JOB_STATE_UNSPECIFIED;
    case v1::JOB_STATE_RUNNING:
      return to != v1::JOB_STATE_RUNNING && to != v1::JOB_STATE_UNSPECIFIED;
    default:
      return false;
  }
}

}  // namespace

bool IsTerminal(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED;
}

absl::Status CheckTransition(v1::JobState from, v1::JobState to) {
  if (IsLegal(from, to)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("a job cannot go from ", JobStateName(from), " to ", JobStateName(to)));
}

absl::string_view JobStateName(v1::JobState state) {
  switch (state) {
    case v1::JOB_STATE_QUEUED:
      return "QUEUED";
    case v1::JOB_STATE_RUNNING:
      return "RUNNING";
    case v1::JOB_STATE_SUCCEEDED:
      return "SUCCEEDED";
    case v1::JOB_STATE_FAILED:
      return "FAILED";
    case v1::JOB_STATE_CANCELLED:
      return "CANCELLED";
    default:
      return "UNSPECIFIED";
  }
}

absl::StatusOr<v1::JobState> ParseJobState(absl::string_view name) {
  for (const v1::JobState state : kStates) {
    if (name == JobStateName(state)) return state;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown state \"", name, "\": use QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED"));
}

}  // namespace tersor
