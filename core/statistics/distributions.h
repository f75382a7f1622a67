// Normal, Student and binomial distributions, to double precision where it matters (1e-12 relative or better).
#ifndef TERSOR_CORE_STATISTICS_DISTRIBUTIONS_H_
#define TERSOR_CORE_STATISTICS_DISTRIBUTIONS_H_

#include <cstdint>

namespace tersor {

double NormalDensity(double z);
double NormalCdf(double z);
// Algorithm AS 241 (Wichura 1988). -infinity at 0, infinity at 1, NaN outside.
double NormalQuantile(double probability);

// Regularized incomplete beta function I_x(a, b); a, b > 0, x in [0, 1].
double IncompleteBeta(double x, double a, double b);

// Student's t with `degrees` > 0 degrees of freedom.
double StudentCdf(double t, double degrees);
double StudentQuantile(double probability, double degrees);

// P(X <= k) of n trials with success probability p.
double BinomialCdf(int64_t k, int64_t n, double p);

// The z (or t) that a two-sided interval of `confidence` (0 to 1, both excluded) reaches out to on either side.
double TwoSidedNormal(double confidence);
double TwoSidedStudent(double confidence, double degrees);

}  // namespace tersor

#endif  // TERSOR_CORE_STATISTICS_DISTRIBUTIONS_H_
