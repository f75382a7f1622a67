// The learning rate over the steps of training.
#ifndef TERSOR_CORE_TRAIN_SCHEDULE_H_
#define TERSOR_CORE_TRAIN_SCHEDULE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

enum class ScheduleKind { kConstant, kLinear, kCosine };

// "constant", "linear" or "cosine"; INVALID_ARGUMENT lists these.
absl::StatusOr<ScheduleKind> ParseScheduleKind(absl::string_view name);

struct Schedule {
  ScheduleKind kind = ScheduleKind::kCosine;
  double peak = 1e-4;
  int64_t steps = 1;
  // Steps of rising linearly to the peak; after them the rate falls to 0 at `steps`.
  int64_t warmup = 0;

  // Of step 0, 1, ... (transformers' get_*_schedule_with_warmup).
  double RateAt(int64_t step) const;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_SCHEDULE_H_
