#include "core/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"

namespace tersor {

absl::StatusOr<ScheduleKind> ParseScheduleKind(absl::string_view name) {
  if (name == "constant") return ScheduleKind::kConstant;
  if (name == "linear") return ScheduleKind::kLinear;
  if (name == "cosine") return ScheduleKind::kCosine;
  return absl::InvalidArgumentError(
      absl::StrCat("schedule \"", name, "\" is not known; there are constant, linear and cosine"));
}

double Schedule::RateAt(int64_t step) const {
  if (step < warmup) return peak * static_cast<double>(step) / static_cast<double>(warmup);
  if (kind == ScheduleKind::kConstant) return peak;
  const double done =
      std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(std::max<int64_t>(1, steps - warmup)));
  if (kind == ScheduleKind::kLinear) return peak * (1 - done);
  return peak * (1 + std::cos(std::numbers::pi * done)) / 2;
}

}  // namespace tersor
