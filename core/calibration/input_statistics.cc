#include "core/calibration/input_statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/kernels/parallel.h"
#include "core/linalg/products.h"

namespace tersor {
namespace {

// Edge of the squares that X^T X is computed in: a function of the width alone, so that sums are always the same.
int64_t TileWidth(int64_t width) {
  constexpr int64_t kTarget = 256, kMultiple = 16;
  const int64_t tiles = (width + kTarget - 1) / kTarget;
  const int64_t even = (width + tiles - 1) / tiles;
  return (even + kMultiple - 1) / kMultiple * kMultiple;
}

struct Tile {
  int64_t row, column, rows, columns;
};

// Squares of the lower triangle, those on the diagonal last: they take half the time.
std::vector<Tile> LowerTiles(int64_t width) {
  const int64_t edge = TileWidth(width);
  std::vector<Tile> tiles;
  for (int64_t distance = (width - 1) / edge; distance >= 0; --distance) {
    for (int64_t column = 0; column + distance * edge < width; column += edge) {
      const int64_t row = column + distance * edge;
      tiles.push_back({row, column, std::min(edge, width - row), std::min(edge, width - column)});
    }
  }
  std::stable_partition(tiles.begin(), tiles.end(), [](const Tile& tile) { return tile.row != tile.column; });
  return tiles;
}

// moment += left^T right.
absl::Status AddCrossMoment(ConstMatrixView left, ConstMatrixView right, int threads,
                            const CancellationToken* cancellation, std::vector<float>& moment) {
  moment.resize(left.columns * right.columns);
  const MatrixView target(moment.data(), left.columns, right.columns);
  const int64_t height = TileWidth(left.columns), width = TileWidth(right.columns);
  const int64_t across = (right.columns + width - 1) / width, down = (left.columns + height - 1) / height;
  return ParallelFor(threads, down * across, [&](int64_t i) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
    const int64_t row = i / across * height, column = i % across * width;
    const int64_t rows = std::min(height, left.columns - row), columns = std::min(width, right.columns - column);
    AddTransposedProduct(left.Columns(row, rows), right.Columns(column, columns),
                         target.Rows(row, rows).Columns(column, columns));
    return absl::OkStatus();
  });
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
    case Statistic::kDenseMoment:
      return "dense_moment";
  }
  return "";
}

InputStatistics::InputStatistics(int64_t width, std::set<Statistic> wanted)
    : width_(width), wanted_(std::move(wanted)) {
  if (wanted_.contains(Statistic::kSecondMoment)) second_moment_.resize(width * width);
  if (wanted_.contains(Statistic::kAbsMax)) absmax_.resize(width);
  if (wanted_.contains(Statistic::kNorm)) squares_.resize(width);
}

absl::Status InputStatistics::Add(const StatisticsSource& source, int threads, const CancellationToken* cancellation) {
  const ConstMatrixView inputs = source.inputs;
  tokens_ += inputs.rows;
  if (!absmax_.empty() || !squares_.empty()) AddMagnitudes(inputs);
  if (!second_moment_.empty()) TERSOR_RETURN_IF_ERROR(AddSecondMoment(inputs, threads, cancellation));
  if (!wanted_.contains(Statistic::kDenseMoment)) return absl::OkStatus();
  return AddCrossMoment(source.dense_inputs, inputs, threads, cancellation, dense_moment_);
}

absl::Status InputStatistics::AddSecondMoment(ConstMatrixView inputs, int threads,
                                              const CancellationToken* cancellation) {
  const std::vector<Tile> tiles = LowerTiles(width_);
  const MatrixView moment(second_moment_.data(), width_, width_);
  return ParallelFor(threads, static_cast<int64_t>(tiles.size()), [&](int64_t i) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
    const Tile& tile = tiles[i];
    const ConstMatrixView left = inputs.Columns(tile.row, tile.rows);
    const MatrixView target = moment.Rows(tile.row, tile.rows).Columns(tile.column, tile.columns);
    if (tile.row == tile.column) {
      AddGram(left, target);
    } else {
      AddTransposedProduct(left, inputs.Columns(tile.column, tile.columns), target);
    }
    return absl::OkStatus();
  });
}

void InputStatistics::AddMagnitudes(ConstMatrixView inputs) {
  for (int64_t t = 0; t < inputs.rows; ++t) {
    const float* row = inputs.row(t);
    for (size_t i = 0; i < absmax_.size(); ++i) absmax_[i] = std::max(absmax_[i], std::abs(row[i]));
    for (size_t i = 0; i < squares_.size(); ++i) squares_[i] += static_cast<double>(row[i]) * row[i];
  }
}

std::vector<float> InputStatistics::Norms() const {
  std::vector<float> norms;
  for (const double sum : squares_) norms.push_back(static_cast<float>(std::sqrt(sum)));
  return norms;
}

}  // namespace tersor
