// How much faster one model is than another, from rounds in which both were timed in turn.
#ifndef TERSOR_CORE_EVALUATE_SPEEDUP_H_
#define TERSOR_CORE_EVALUATE_SPEEDUP_H_

#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include "core/statistics/interval.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// One round says nothing about how others would differ from it.
inline constexpr int kFewestSpeedupRounds = 2;

// `ratios` [rounds, at least 1]: tokens per second of the one over those of the other. The value is their geometric
// mean; its interval is Student's t of their logarithms, and is missing below kFewestSpeedupRounds.
v1::SpeedupResult DescribeSpeedup(absl::string_view kind, std::span<const double> ratios, double confidence);

// What DescribeSpeedup would have said at `confidence`; unbounded where the result has no interval.
Interval SpeedupInterval(const v1::SpeedupResult& speedup, double confidence);

// "" or why `repeats` rounds hardly decide a gate at `confidence`: a sentence's end, for warnings.
std::string FewRepeatsText(int repeats, double confidence);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_SPEEDUP_H_
