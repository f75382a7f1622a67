// Looking several times at growing data without losing the error rate (group-sequential analysis).
#ifndef TERSOR_CORE_STATISTICS_SEQUENTIAL_H_
#define TERSOR_CORE_STATISTICS_SEQUENTIAL_H_

#include <cstdint>
#include <span>
#include <vector>

namespace tersor {

// How much of the error rate may be spent by the time a share t of the data is in (Lan and DeMets, Biometrika 70,
// 1983).
enum class Spending {
  // On either side 2 - 2 Phi(z_(alpha/4) / sqrt(t)): little early, nearly everything is kept for the end.
  kOBrienFleming,
  // alpha log(1 + (e - 1) t): evenly, for those who want to stop early.
  kPocock,
};

double SpentError(Spending spending, double alpha, double share);

// For each look, how many standard errors the two-sided interval reaches out, so that the true value lies in all of
// them together with probability 1 - alpha (repeated confidence intervals: Jennison and Turnbull, JRSS B 51, 1989).
// `shares`: the share of the data at each look, rising, in (0, 1]. Looks not taken in the end cost nothing.
std::vector<double> SpendingBoundaries(std::span<const double> shares, double alpha, Spending spending);

// Of the interval of look `looks.size()`, given the shares of all looks so far: a plain interval made with this
// confidence is part of a sequence that holds `confidence` as a whole.
double RepeatedConfidence(std::span<const double> shares, double confidence, Spending spending = Spending::kPocock);

// The items at which to look: `first`, then twice as many each time, `available` in the end.
std::vector<int64_t> DoublingLooks(int64_t first, int64_t available);

}  // namespace tersor

#endif  // TERSOR_CORE_STATISTICS_SEQUENTIAL_H_
