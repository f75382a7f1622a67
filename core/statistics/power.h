// How many items decide a question, before any is measured.
#ifndef TERSOR_CORE_STATISTICS_POWER_H_
#define TERSOR_CORE_STATISTICS_POWER_H_

#include <cstdint>

namespace tersor {

// Share of items whose answer changes between two models, where nothing better is known. At 5 %, 200 items resolve a
// drop of four points.
inline constexpr double kAssumedFlips = 0.05;

// A two-sided test of `confidence` on paired items of which a share `flips` changes finds a true drop with probability
// `power` (Connor, Biometrics 43, 1987).
struct PowerQuestion {
  double flips = kAssumedFlips;
  double confidence = 0.95;
  double power = 0.8;
};

// The smallest drop that `items` items find; one beyond `flips` changes as many answers as are lost. 1 where the items
// are too few for any.
double DetectableDrop(int64_t items, const PowerQuestion& question);
// Items after which a drop of `drop` is found, or, the same count by symmetry, after which models that do not differ
// are known to lie within `drop`. `drop` > 0; at least 1.
int64_t ItemsNeeded(double drop, const PowerQuestion& question);
// The probability that `items` items decide whether the drop lies below `margin` above (or beyond) the true one.
double DecisionProbability(int64_t items, double margin, const PowerQuestion& question);

// The same for a mean whose units have standard deviation `deviation`: blocks of text, repeats.
double DetectableDifference(int64_t units, double deviation, double confidence, double power);
int64_t UnitsNeeded(double difference, double deviation, double confidence, double power);

}  // namespace tersor

#endif  // TERSOR_CORE_STATISTICS_POWER_H_
