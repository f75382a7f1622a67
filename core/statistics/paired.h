// Two models on the same items.
#ifndef TERSOR_CORE_STATISTICS_PAIRED_H_
#define TERSOR_CORE_STATISTICS_PAIRED_H_

#include <cstdint>
#include <span>

#include "core/statistics/interval.h"

namespace tersor {

// Items that one model answered right and the other wrong.
struct Flips {
  int64_t items = 0;
  // Right before, wrong after.
  int64_t lost = 0;
  // Wrong before, right after.
  int64_t won = 0;
};

// Scores of 1 are right, all others wrong. Sizes are equal.
Flips CountFlips(std::span<const double> before, std::span<const double> after);

// Two-sided exact p-value of McNemar's test: is `lost` out of lost + won like the tosses of a fair coin? 1 without
// flips.
double McNemarExact(const Flips& flips);

// Score interval of the drop (lost - won) / items (Tango, Statistics in Medicine 17, 1998). Holds its level with few or
// no flips, where the normal interval collapses. [-1, 1] without items.
Interval TangoInterval(const Flips& flips, double confidence);

struct PairedDrop {
  int64_t items = 0;
  // Mean of before - after: positive where the second model is worse.
  double drop = 0;
  // Of that mean: sample standard deviation of the differences / sqrt(n).
  double standard_error = 0;
  Interval interval;
};

// Tango's interval where all scores are 0 or 1, Student's for other scores; where these never differ, what Tango's
// gives without flips. Sizes are equal; without items the interval is [-1, 1].
PairedDrop DropOnSameItems(std::span<const double> before, std::span<const double> after, double confidence);

struct PairedRatio {
  double ratio = 1;
  // Of log(ratio).
  double standard_error = 0;
  Interval interval;
  int64_t blocks = 0;
};

// Ratio of two perplexities of the same text, from the negative log-likelihoods of its blocks: exp(sum(after - before)
// / divisor), `divisor` being what the perplexities divide by (tokens or words). The interval comes from the blocks'
// differences (delta method, Student's t); unbounded above and 0 below with fewer than two blocks.
PairedRatio PerplexityRatioOnBlocks(std::span<const double> before, std::span<const double> after,
                                    std::span<const double> tokens, double divisor, double confidence);

}  // namespace tersor

#endif  // TERSOR_CORE_STATISTICS_PAIRED_H_
