#include "core/train/divergence_loss.h"

#include <algorithm>
#include <cmath>

namespace tersor {
namespace {

// log(sum of exp(x / temperature)).
template <typename T>
double LogSumExp(std::span<const T> x, double temperature) {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const T value : x) sum += std::exp((value - largest) / temperature);
  return largest / temperature + std::log(sum);
}

// What one id adds to the loss, and the loss's slope in q times q: slopes alone may be infinite where q vanishes.
struct Term {
  double loss = 0;
  double slope = 0;
};

// x log(x / m), 0 where x is.
double Relative(double x, double log_x, double m) { return x > 0 ? x * (log_x - std::log(m)) : 0; }

Term TermOf(const DivergenceOptions& options, double log_p, double log_q) {
  const double p = std::exp(log_p), q = std::exp(log_q), mix = options.mix;
  switch (options.kind) {
    case DivergenceKind::kForwardKl:
      return {p > 0 ? p * (log_p - log_q) : 0, -p};
    case DivergenceKind::kReverseKl: {
      const double loss = q > 0 ? q * (log_q - log_p) : 0;
      return {loss, loss + q};
    }
    case DivergenceKind::kJensenShannon: {
      const double m = mix * p + (1 - mix) * q, student = Relative(q, log_q, m);
      return {mix * Relative(p, log_p, m) + (1 - mix) * student, (1 - mix) * student};
    }
    case DivergenceKind::kSkewForwardKl: {
      const double m = mix * p + (1 - mix) * q;
      return {Relative(p, log_p, m), m > 0 ? -(1 - mix) * q * p / m : 0};
    }
    case DivergenceKind::kSkewReverseKl: {
      const double m = (1 - mix) * p + mix * q, loss = Relative(q, log_q, m);
      return {loss, m > 0 ? loss + q - mix * q * q / m : 0};
    }
  }
  return {};
}

}  // namespace

template <typename T>
double BackpropagateDivergence(const DivergenceOptions& options, double scale, std::span<T> student,
                               std::span<T> teacher) {
  const double temperature = options.temperature;
  const double student_sum = LogSumExp<T>(student, temperature), teacher_sum = LogSumExp<T>(teacher, temperature);
  const double factor = options.times_squared_temperature ? temperature * temperature : 1;
  double loss = 0, slopes = 0;
  for (size_t i = 0; i < student.size(); ++i) {
    const double log_q = student[i] / temperature - student_sum;
    const Term term = TermOf(options, teacher[i] / temperature - teacher_sum, log_q);
    loss += term.loss;
    slopes += term.slope;
    teacher[i] = static_cast<T>(term.slope);
  }
  for (size_t i = 0; i < student.size(); ++i) {
    const double q = std::exp(student[i] / temperature - student_sum);
    student[i] = static_cast<T>(scale * factor / temperature * (teacher[i] - q * slopes));
  }
  return factor * loss;
}

template double BackpropagateDivergence<float>(const DivergenceOptions&, double, std::span<float>, std::span<float>);
template double BackpropagateDivergence<double>(const DivergenceOptions&, double, std::span<double>, std::span<double>);

}  // namespace tersor
