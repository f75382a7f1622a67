#include "core/compress/quantize/feedback_system.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/linalg/cholesky.h"

namespace tersor {
namespace {

// From the triangle that holds it.
double MomentAt(ConstMatrixView moment, int64_t i, int64_t j) { return i >= j ? moment.at(i, j) : moment.at(j, i); }

// The lower triangle of the damped moment with rows and columns in the reverse of `order`: its Cholesky factor is that
// of the matrix in the given order from the last column to the first.
std::vector<double> ReversedTriangle(ConstMatrixView moment, double damping, const std::vector<int64_t>& order) {
  const int64_t n = moment.columns;
  const double term = DampingTerm(moment, damping);
  std::vector<double> reversed(n * n);
  for (int64_t i = 0; i < n; ++i) {
    double* row = reversed.data() + i * n;
    const int64_t column = order[n - 1 - i];
    for (int64_t j = 0; j <= i; ++j) row[j] = MomentAt(moment, column, order[n - 1 - j]);
    row[i] += term;
  }
  return reversed;
}

}  // namespace

double FactorOperations(int64_t columns) {
  const double n = static_cast<double>(columns);
  // Its elements are gathered in another order before and after.
  return n * n * n / 3 + 200 * n * n;
}

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
  return Create(moment, damping, OrderColumns(moment, order, group_columns), keep_moment);
}

FeedbackSystem FeedbackSystem::WithoutFeedback(std::vector<int64_t> order) {
  FeedbackSystem system;
  system.columns = static_cast<int64_t>(order.size());
  system.order = std::move(order);
  system.feedback = TrianglePanels(system.columns);
  for (int64_t k = 0; k < system.columns; ++k) system.feedback.at(k, k) = 1;
  system.importance.assign(system.columns, 1.0f);
  return system;
}

absl::StatusOr<FeedbackSystem> FeedbackSystem::Create(ConstMatrixView moment, double damping,
                                                      std::vector<int64_t> order, bool keep_moment) {
  const int64_t n = moment.columns;
  FeedbackSystem system;
  system.columns = n;
  system.order = std::move(order);
  if (keep_moment) {
    const std::vector<double> damped = DampedMoment(moment, damping, system.order);
    system.moment.assign(damped.begin(), damped.end());
    for (int64_t k = 0; k < n; ++k) system.inverse_diagonal.push_back(static_cast<float>(1 / damped[k * n + k]));
  }
  std::vector<double> factor = ReversedTriangle(moment, damping, system.order);
  if (absl::Status status = FactorLower(n, factor); !status.ok()) return status;
  // R_ik is element (n - 1 - i, n - 1 - k) of the reversed matrix's factor.
  system.feedback = TrianglePanels(n);
  system.importance.resize(n);
  std::vector<double> inverse(n);
  for (int64_t k = 0; k < n; ++k) {
    const double pivot = factor[(n - 1 - k) * (n + 1)];
    inverse[k] = 1 / pivot;
    system.importance[k] = static_cast<float>(pivot * pivot);
  }
  for (int64_t i = 0; i < n; ++i) {
    const double* last = factor.data() + (n - 1 - i) * n + n - 1;
    for (int64_t k = i; k < n; ++k) system.feedback.at(i, k) = static_cast<float>(last[-k] * inverse[k]);
  }
  return system;
}

}  // namespace tersor
