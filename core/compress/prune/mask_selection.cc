#include "core/compress/prune/mask_selection.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/encoding/dense_tensor.h"
#include "core/encoding/masked_tensor.h"
#include "core/kernels/parallel.h"

namespace tersor {
namespace {

DType ValueType(const EncodedTensor& before) {
  DType type = DType::kF16;
  if (const auto* dense = dynamic_cast<const DenseTensor*>(&before.weight())) type = dense->values().dtype();
  if (const auto* masked = dynamic_cast<const MaskedTensor*>(&before.weight())) type = masked->values().dtype();
  return type == DType::kF64 ? DType::kF32 : type;
}

}  // namespace

void KeepLargest(std::span<const float> scores, int64_t left_out, uint8_t* kept) {
  std::fill_n(kept, scores.size(), uint8_t{1});
  if (left_out <= 0) return;
  std::vector<int64_t> indices(scores.size());
  std::iota(indices.begin(), indices.end(), 0);
  const auto less = [&](int64_t a, int64_t b) { return scores[a] != scores[b] ? scores[a] < scores[b] : a < b; };
  if (left_out < static_cast<int64_t>(indices.size())) {
    std::nth_element(indices.begin(), indices.begin() + left_out, indices.end(), less);
  }
  for (int64_t i = 0; i < left_out; ++i) kept[indices[i]] = 0;
}

std::vector<uint8_t> KeepByRow(ConstMatrixView scores, const PruneOptions& options, int threads) {
  std::vector<uint8_t> kept(scores.rows * scores.columns);
  const int64_t run = options.pattern.fixed() ? options.pattern.of : scores.columns;
  const int64_t left_out = options.LeftOut(run);
  RunTasks(threads, scores.rows, [&](int64_t row) {
    for (int64_t first = 0; first < scores.columns; first += run) {
      KeepLargest({scores.row(row) + first, static_cast<size_t>(run)}, left_out,
                  kept.data() + row * scores.columns + first);
    }
  });
  return kept;
}

std::vector<uint8_t> KeepByLayer(ConstMatrixView scores, const PruneOptions& options, int threads) {
  if (options.pattern.fixed()) return KeepByRow(scores, options, threads);
  const int64_t count = scores.rows * scores.columns;
  std::vector<uint8_t> kept(count);
  KeepLargest({scores.data, static_cast<size_t>(count)}, options.LeftOut(count), kept.data());
  return kept;
}

void ScoreLeftOut(const EncodedTensor& weight, std::vector<float>& scores) {
  if (weight.mask() == nullptr) return;
  std::vector<uint8_t> kept(weight.columns());
  for (int64_t row = 0; row < weight.rows(); ++row) {
    weight.mask()->KeptOfRow(row, kept.data());
    for (int64_t i = 0; i < weight.columns(); ++i) {
      if (kept[i] == 0) scores[row * weight.columns() + i] = -1;
    }
  }
}

absl::StatusOr<EncodedTensorPtr> EncodeMasked(const EncodedTensor& before, std::vector<uint8_t> kept,
                                              std::span<const float> weights, MaskPattern pattern) {
  const std::vector<uint8_t> had = KeptMarks(before);
  for (size_t i = 0; i < had.size(); ++i) kept[i] = std::min(kept[i], had[i]);
  absl::StatusOr<SparseMask> mask = SparseMask::Create(before.rows(), before.columns(), kept, pattern);
  if (!mask.ok() && !had.empty()) mask = SparseMask::Create(before.rows(), before.columns(), kept);
  if (!mask.ok()) return mask.status();
  return MaskedTensor::Create(*std::move(mask), weights, ValueType(before));
}

int64_t MaskedValueBytes(const PlannedEncoding& before, const LinearLayer& layer) {
  const uint64_t weights = static_cast<uint64_t>(layer.outputs * layer.inputs);
  if (before.encoding == MaskedTensor::kName) {
    const uint64_t values = before.bytes - before.mask_bytes;
    return before.kept > 0 ? static_cast<int64_t>(values) / before.kept : 2;
  }
  if (before.encoding != DenseTensor::kName) return 2;
  return std::min<int64_t>(static_cast<int64_t>(before.bytes / weights), sizeof(float));
}

}  // namespace tersor
