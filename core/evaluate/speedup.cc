#include "core/evaluate/speedup.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/statistics/distributions.h"
#include "core/statistics/moments.h"

namespace tersor {
namespace {

// An interval that reaches out further than this many standard deviations of a round decides next to nothing.
constexpr double kWideReach = 3;

double Reach(int rounds, double confidence) {
  return TwoSidedStudent(confidence, rounds - 1) / std::sqrt(static_cast<double>(rounds));
}

}  // namespace

v1::SpeedupResult DescribeSpeedup(absl::string_view kind, std::span<const double> ratios, double confidence) {
  std::vector<double> logarithms;
  for (const double ratio : ratios) logarithms.push_back(std::log(ratio));
  const double mean = Mean(logarithms);
  v1::SpeedupResult result;
  result.set_kind(std::string(kind));
  result.set_value(std::exp(mean));
  result.set_rounds(static_cast<int>(ratios.size()));
  if (result.rounds() < kFewestSpeedupRounds) return result;
  const Interval interval = StudentInterval(mean, StandardError(logarithms), result.rounds() - 1, confidence);
  result.mutable_interval()->set_low(std::exp(interval.low));
  result.mutable_interval()->set_high(std::exp(interval.high));
  result.mutable_interval()->set_confidence(confidence);
  return result;
}

Interval SpeedupInterval(const v1::SpeedupResult& speedup, double confidence) {
  const v1::Interval& known = speedup.interval();
  const bool usable = speedup.has_interval() && speedup.rounds() >= kFewestSpeedupRounds && known.low() > 0 &&
                      known.high() >= known.low() && known.confidence() > 0 && known.confidence() < 1;
  if (!usable) return {};
  // t intervals of one sample differ in nothing but the quantile that they reach out by.
  const double half = std::log(known.high() / known.low()) / 2 *
                      (Reach(speedup.rounds(), confidence) / Reach(speedup.rounds(), known.confidence()));
  return {speedup.value() * std::exp(-half), speedup.value() * std::exp(half)};
}

std::string FewRepeatsText(int repeats, double confidence) {
  constexpr int kManyRepeats = 100;
  int enough = kFewestSpeedupRounds;
  while (enough < kManyRepeats && Reach(enough, confidence) > kWideReach) ++enough;
  if (repeats >= enough) return "";
  if (repeats < kFewestSpeedupRounds) {
    return absl::StrCat("will be inconclusive: one round has no interval; it needs at least ", kFewestSpeedupRounds,
                        " repeats, better ", enough, " or more");
  }
  return absl::StrFormat(
      "will hardly be decided: with %d repeats the %.4g %% interval reaches out by %.1f standard deviations of a "
      "round; "
      "take at least %d",
      repeats, 100 * confidence, Reach(repeats, confidence), enough);
}

}  // namespace tersor
