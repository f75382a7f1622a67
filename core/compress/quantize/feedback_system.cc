#include "core/compress/quantize/feedback_system.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "core/linalg/cholesky.h"

namespace tersor {
namespace {

// From the triangle that holds it.
double MomentAt(ConstMatrixView moment, int64_t i, int64_t j) { return i >= j ? moment.at(i, j) : moment.at(j, i); }

}  // namespace

std::vector<int64_t> OrderColumns(ConstMatrixView moment, ColumnOrder order, int64_t group_columns) {
  std::vector<int64_t> columns(moment.columns);
  std::iota(columns.begin(), columns.end(), 0);
  if (order == ColumnOrder::kNatural) return columns;
  std::vector<double> sums(moment.columns / group_columns);
  for (int64_t i = 0; i < moment.columns; ++i) sums[i / group_columns] += moment.at(i, i);
  std::vector<int64_t> groups(sums.size());
  std::iota(groups.begin(), groups.end(), 0);
  std::stable_sort(groups.begin(), groups.end(), [&](int64_t a, int64_t b) { return sums[a] > sums[b]; });
  for (size_t g = 0; g < groups.size(); ++g) {
    const auto begin = columns.begin() + static_cast<int64_t>(g) * group_columns;
    std::iota(begin, begin + group_columns, groups[g] * group_columns);
    std::stable_sort(begin, begin + group_columns,
                     [&](int64_t a, int64_t b) { return moment.at(a, a) > moment.at(b, b); });
  }
  return columns;
}

double DampingTerm(ConstMatrixView moment, double damping) {
  double sum = 0;
  for (int64_t i = 0; i < moment.columns; ++i) sum += moment.at(i, i);
  // Inputs that are all zero make every choice as good as any other.
  return sum == 0 ? 1.0 : damping * sum / static_cast<double>(moment.columns);
}

std::vector<double> DampedMoment(ConstMatrixView moment, double damping, const std::vector<int64_t>& order) {
  const int64_t n = moment.columns;
  const double term = DampingTerm(moment, damping);
  std::vector<double> damped(n * n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) damped[i * n + j] = MomentAt(moment, order[i], order[j]);
    damped[i * n + i] += term;
  }
  return damped;
}

absl::StatusOr<FeedbackSystem> FeedbackSystem::Create(ConstMatrixView moment, double damping, ColumnOrder order,
                                                      int64_t group_columns, bool keep_moment) {
  const int64_t n = moment.columns;
  FeedbackSystem system;
  system.columns = n;
  system.order = OrderColumns(moment, order, group_columns);
  std::vector<double> factor = DampedMoment(moment, damping, system.order);
  if (keep_moment) {
    system.moment.assign(factor.begin(), factor.end());
    for (int64_t k = 0; k < n; ++k) system.inverse_diagonal.push_back(static_cast<float>(1 / factor[k * n + k]));
  }
  TERSOR_RETURN_IF_ERROR(FactorUpper(n, factor));
  system.feedback.resize(n * n);
  system.importance.resize(n);
  std::vector<double> inverse(n);
  for (int64_t k = 0; k < n; ++k) {
    inverse[k] = 1 / factor[k * n + k];
    system.importance[k] = static_cast<float>(factor[k * n + k] * factor[k * n + k]);
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = i; k < n; ++k) system.feedback[i * n + k] = static_cast<float>(factor[i * n + k] * inverse[k]);
  }
  return system;
}

}  // namespace tersor
