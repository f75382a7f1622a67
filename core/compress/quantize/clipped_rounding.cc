#include "core/compress/quantize/clipped_rounding.h"

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "core/kernels/grid_rounding.h"
#include "core/kernels/worker_pool.h"

namespace tersor {
namespace {

constexpr float kNarrowest = 0.5f;

// e M e^T.
double Loss(const std::vector<float>& errors, const float* moment) {
  const int64_t n = static_cast<int64_t>(errors.size());
  double loss = 0;
  for (int64_t i = 0; i < n; ++i) {
    const float* row = moment + i * n;
    float sum = 0;
    for (int64_t j = 0; j < n; ++j) sum += row[j] * errors[j];
    loss += static_cast<double>(sum) * errors[i];
  }
  return loss;
}

class GroupRounder {
 public:
  GroupRounder(const GridOptions& options, int64_t columns) : options_(options), clipped_(columns), errors_(columns) {}

  void Round(const float* weights, const float* moment, uint8_t* codes, GridCandidate& grid) {
    const int64_t count = static_cast<int64_t>(clipped_.size());
    const auto [low, high] = std::minmax_element(weights, weights + count);
    double best = std::numeric_limits<double>::infinity();
    std::vector<uint8_t> candidate_codes(count);
    for (int step = 0; step < kClipSteps; ++step) {
      const float share = 1 - (1 - kNarrowest) * static_cast<float>(step) / kClipSteps;
      for (int64_t i = 0; i < count; ++i) clipped_[i] = std::clamp(weights[i], *low * share, *high * share);
      const GridCandidate candidate = FitGrid(clipped_, {}, options_);
      RoundToGrid(clipped_.data(), count, candidate, static_cast<float>(options_.max_code()), candidate_codes.data());
      for (int64_t i = 0; i < count; ++i) {
        errors_[i] = weights[i] - (static_cast<float>(candidate_codes[i]) - candidate.zero_point) * candidate.scale;
      }
      const double loss = Loss(errors_, moment);
      if (loss >= best) continue;
      best = loss;
      grid = candidate;
      std::copy(candidate_codes.begin(), candidate_codes.end(), codes);
    }
  }

 private:
  const GridOptions& options_;
  std::vector<float> clipped_, errors_;
};

// The block of the moment that belongs to the columns first .. first + count, in full.
std::vector<float> MomentBlock(ConstMatrixView lower, int64_t first, int64_t count) {
  std::vector<float> block(count * count);
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j <= i; ++j) block[i * count + j] = block[j * count + i] = lower.at(first + i, first + j);
  }
  return block;
}

}  // namespace

QuantizedMatrix RoundClipped(ConstMatrixView weights, ConstMatrixView moment, const GridOptions& options, int threads) {
  QuantizedMatrix matrix(weights.rows, weights.columns, options);
  const int64_t group = options.GroupColumns(weights.columns);
  std::vector<std::vector<float>> blocks;
  for (int64_t g = 0; g < matrix.groups(); ++g) blocks.push_back(MomentBlock(moment, g * group, group));
  RunTasks(threads, weights.rows, [&](int64_t row) {
    GroupRounder rounder(options, group);
    for (int64_t g = 0; g < matrix.groups(); ++g) {
      rounder.Round(weights.row(row) + g * group, blocks[g].data(),
                    matrix.codes.data() + row * weights.columns + g * group, matrix.grids[row * matrix.groups() + g]);
    }
  });
  return matrix;
}

}  // namespace tersor
