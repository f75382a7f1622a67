#include "core/calibration/input_statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kernels/column_absmax.h"
#include "core/kernels/outer_products.h"
#include "core/kernels/parallel.h"

namespace tersor {
namespace {

// Tokens whose inputs are cut into panels together.
constexpr int64_t kChunk = 1024;
// Panels to a side of the squares that products are computed in.
constexpr int64_t kSquare = 3;
constexpr int64_t kRowsATask = 128;

// Rows [first, first + count) of `inputs`.
void CutPanels(ConstMatrixView inputs, int64_t first, int64_t count, int threads, ColumnPanels& panels) {
  RunTasks(threads, (count + kRowsATask - 1) / kRowsATask, [&](int64_t task) {
    const int64_t end = std::min(count, (task + 1) * kRowsATask);
    for (int64_t row = task * kRowsATask; row < end; ++row) panels.SetRow(row, inputs.row(first + row));
  });
}

struct Square {
  PanelRange rows, columns;
};

// Squares of the whole product or its lower triangle, those on the triangle's diagonal last: they take half the time.
std::vector<Square> CutSquares(int64_t rows, int64_t columns, bool triangle) {
  std::vector<Square> squares;
  for (int64_t row = 0; row < rows; row += kSquare) {
    for (int64_t column = 0; column < (triangle ? row + 1 : columns); column += kSquare) {
      squares.push_back({{row, std::min(kSquare, rows - row)}, {column, std::min(kSquare, columns - column)}});
    }
  }
  std::stable_partition(squares.begin(), squares.end(),
                        [&](const Square& square) { return !triangle || square.rows.first != square.columns.first; });
  return squares;
}

// Columns whose sums one task takes: a cache line or two of each row.
constexpr int64_t kColumnsATask = 64;

// results[begin + i] = add(value, results[begin + i]) for each value of column i, row by row; nothing where there are
// no results. The copy of a task's results lies apart from all inputs, so that compilers turn the loop into vectors.
template <typename Result, typename Add>
void Fold(ConstMatrixView columns, std::vector<Result>& results, int64_t begin, const Add& add) {
  if (results.empty()) return;
  std::array<Result, kColumnsATask> held{};
  std::copy_n(results.begin() + begin, columns.columns, held.begin());
  const bool whole = columns.columns == kColumnsATask;
  for (int64_t t = 0; t < columns.rows; ++t) {
    const float* row = columns.row(t);
    for (int64_t i = 0; whole && i < kColumnsATask; ++i) add(row[i], held[i]);
    for (int64_t i = 0; !whole && i < columns.columns; ++i) add(row[i], held[i]);
  }
  std::copy_n(held.begin(), columns.columns, results.begin() + begin);
}

// Largest magnitudes of the columns; NaN or infinity where a column holds one.
std::vector<float> ColumnAbsMax(ConstMatrixView inputs, int threads) {
  const int64_t tasks = (inputs.rows + kRowsATask - 1) / kRowsATask;
  std::vector<float> parts(std::max<int64_t>(tasks, 1) * inputs.columns);
  RunTasks(threads, tasks, [&](int64_t task) {
    const int64_t first = task * kRowsATask;
    AddColumnAbsMax(inputs.row(first), inputs.stride, std::min(kRowsATask, inputs.rows - first), inputs.columns,
                    parts.data() + task * inputs.columns);
  });
  AddColumnAbsMax(parts.data() + inputs.columns, inputs.columns, tasks - 1, inputs.columns, parts.data());
  parts.resize(inputs.columns);
  return parts;
}

// Names the first input that is not a finite number, of those that hold one.
absl::Status NotFinite(ConstMatrixView inputs, int64_t first_token) {
  for (int64_t t = 0; t < inputs.rows; ++t) {
    const float* row = inputs.row(t);
    const auto at = std::find_if_not(row, row + inputs.columns, [](float x) { return std::isfinite(x); }) - row;
    if (at == inputs.columns) continue;
    return absl::InvalidArgumentError(absl::StrCat("input ", at, " of calibration token ", first_token + t, " is ",
                                                   row[at], ", not a finite number"));
  }
  return absl::OkStatus();
}

int64_t PaddedWidth(int64_t width) { return (width + kPanelColumns - 1) / kPanelColumns * kPanelColumns; }

// moment += left^T right; of the same matrix only the lower triangle. `moment` is padded to whole panels.
absl::Status AddMoment(ConstMatrixView left, ConstMatrixView right, int threads, const CancellationToken* cancellation,
                       std::vector<float>& moment) {
  const bool triangle = left.data == right.data;
  const int64_t tokens = left.rows, stride = PaddedWidth(right.columns);
  ColumnPanels left_panels(std::min(kChunk, tokens), left.columns);
  ColumnPanels right_panels(triangle ? 0 : left_panels.rows(), right.columns);
  const ColumnPanels& columns = triangle ? left_panels : right_panels;
  const std::vector<Square> squares = CutSquares(left_panels.panels(), right_panels.panels(), triangle);
  for (int64_t first = 0; first < tokens; first += kChunk) {
    const int64_t count = std::min(kChunk, tokens - first);
    CutPanels(left, first, count, threads, left_panels);
    if (!triangle) CutPanels(right, first, count, threads, right_panels);
    TERSOR_RETURN_IF_ERROR(ParallelFor(threads, static_cast<int64_t>(squares.size()), [&](int64_t i) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
      const Square& square = squares[i];
      const bool diagonal = triangle && square.rows.first == square.columns.first;
      AddPanelMoments(left_panels, square.rows, columns, square.columns, count, diagonal,
                      moment.data() + (square.rows.first * stride + square.columns.first) * kPanelColumns, stride);
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view StatisticName(Statistic statistic) {
  switch (statistic) {
    case Statistic::kSecondMoment:
      return "second_moment";
    case Statistic::kAbsMax:
      return "absmax";
    case Statistic::kNorm:
      return "norm";
    case Statistic::kRange:
      return "range";
    case Statistic::kMeanMagnitude:
      return "mean_magnitude";
    case Statistic::kSample:
      return "sample";
    case Statistic::kDenseMoment:
      return "dense_moment";
  }
  return "";
}

InputStatistics::InputStatistics(int64_t width, std::set<Statistic> wanted)
    : width_(width), wanted_(std::move(wanted)) {
  if (wanted_.contains(Statistic::kSecondMoment)) second_moment_.resize(PaddedWidth(width) * PaddedWidth(width));
  if (wanted_.contains(Statistic::kDenseMoment)) dense_moment_.resize(PaddedWidth(width) * PaddedWidth(width));
  if (wanted_.contains(Statistic::kAbsMax)) absmax_.resize(width);
  if (wanted_.contains(Statistic::kNorm)) squares_.resize(width);
  if (wanted_.contains(Statistic::kMeanMagnitude)) magnitudes_.resize(width);
  if (wanted_.contains(Statistic::kRange)) {
    minima_.assign(width, std::numeric_limits<float>::infinity());
    maxima_.assign(width, -std::numeric_limits<float>::infinity());
  }
}

absl::Status InputStatistics::Add(const StatisticsSource& source, int threads, const CancellationToken* cancellation) {
  const ConstMatrixView inputs = source.inputs;
  const std::vector<float> largest = ColumnAbsMax(inputs, threads);
  if (!std::all_of(largest.begin(), largest.end(), [](float x) { return std::isfinite(x); })) {
    return NotFinite(inputs, tokens_);
  }
  for (size_t i = 0; i < absmax_.size(); ++i) absmax_[i] = std::max(absmax_[i], largest[i]);
  tokens_ += inputs.rows;
  AddMagnitudes(inputs, threads);
  if (wanted_.contains(Statistic::kSample)) AddSample(inputs);
  if (!second_moment_.empty()) {
    TERSOR_RETURN_IF_ERROR(AddMoment(inputs, inputs, threads, cancellation, second_moment_));
  }
  if (dense_moment_.empty()) return absl::OkStatus();
  return AddMoment(source.dense_inputs, inputs, threads, cancellation, dense_moment_);
}

ConstMatrixView InputStatistics::second_moment() const {
  return {second_moment_.data(), width_, width_, PaddedWidth(width_)};
}

ConstMatrixView InputStatistics::dense_moment() const {
  return {dense_moment_.data(), width_, width_, PaddedWidth(width_)};
}

// A column's sums are one chain in the order of tokens, whatever the threads.
void InputStatistics::AddMagnitudes(ConstMatrixView inputs, int threads) {
  if (squares_.empty() && magnitudes_.empty() && minima_.empty()) return;
  RunTasks(threads, (width_ + kColumnsATask - 1) / kColumnsATask, [&](int64_t task) {
    const int64_t begin = task * kColumnsATask, count = std::min(width_ - begin, kColumnsATask);
    const ConstMatrixView columns = inputs.Columns(begin, count);
    Fold(columns, minima_, begin, [](float value, float& least) { least = std::min(least, value); });
    Fold(columns, maxima_, begin, [](float value, float& largest) { largest = std::max(largest, value); });
    Fold(columns, squares_, begin, [](float value, double& sum) { sum += static_cast<double>(value) * value; });
    Fold(columns, magnitudes_, begin, [](float value, double& sum) { sum += std::abs(value); });
  });
}

void InputStatistics::AddSample(ConstMatrixView inputs) {
  const int64_t stride = std::max<int64_t>(inputs.rows / kSampleRows, 1);
  for (int64_t t = 0; t < inputs.rows; t += stride) {
    sample_.insert(sample_.end(), inputs.row(t), inputs.row(t) + width_);
  }
}

std::vector<float> InputStatistics::MeanMagnitudes() const {
  std::vector<float> means;
  for (const double sum : magnitudes_) means.push_back(static_cast<float>(sum / static_cast<double>(tokens_)));
  return means;
}

int64_t InputStatistics::DeadInputs() const {
  const auto count = [](const auto& values) {
    return static_cast<int64_t>(std::count_if(values.begin(), values.end(), [](auto x) { return x == 0; }));
  };
  if (!absmax_.empty()) return count(absmax_);
  if (!squares_.empty()) return count(squares_);
  if (!magnitudes_.empty()) return count(magnitudes_);
  int64_t dead = 0;
  for (int64_t i = 0; i < width_; ++i) {
    if (!minima_.empty()) dead += minima_[i] == 0 && maxima_[i] == 0;
    if (minima_.empty() && !second_moment_.empty()) dead += second_moment().at(i, i) == 0;
  }
  return dead;
}

std::vector<float> InputStatistics::Norms() const {
  std::vector<float> norms;
  for (const double sum : squares_) norms.push_back(static_cast<float>(std::sqrt(sum)));
  return norms;
}

}  // namespace tersor
