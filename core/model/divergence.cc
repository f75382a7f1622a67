#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/kernels/logit_reductions.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/model/head.h"

namespace tersor {
namespace {

constexpr int64_t kGroupRows = 1024;
constexpr int64_t kTileRows = 128;

absl::Status GroupDivergence(const Head& dense, const float* dense_hidden, const Head& other, const float* other_hidden,
                             int64_t rows, double* kl, uint8_t* same_top1) {
  ScratchBuffer dense_normed(rows * dense.width()), other_normed(rows * other.width());
  dense.Norm(dense_hidden, rows, dense_normed.data());
  other.Norm(other_hidden, rows, other_normed.data());
  const int64_t ids = dense.chunk_ids();
  const int64_t chunks = (dense.vocabulary() + ids - 1) / ids;
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  std::vector<DivergenceStats> parts(rows * chunks);
  TERSOR_RETURN_IF_ERROR(ParallelFor(dense.threads(), tiles * chunks, [&](int64_t task) {
    const int64_t chunk = task / tiles;
    const int64_t first = task % tiles * kTileRows;
    const int64_t count = std::min(kTileRows, rows - first);
    ScratchBuffer dense_logits(count * ids), other_logits(count * ids);
    TERSOR_RETURN_IF_ERROR(
        dense.ChunkLogits(dense_normed.data() + first * dense.width(), count, chunk, dense_logits.data(), ids));
    TERSOR_RETURN_IF_ERROR(
        other.ChunkLogits(other_normed.data() + first * other.width(), count, chunk, other_logits.data(), ids));
    const int64_t present = std::min(ids, dense.vocabulary() - chunk * ids);
    for (int64_t row = 0; row < count; ++row) {
      parts[(first + row) * chunks + chunk] =
          ReduceLogitPair(dense_logits.data() + row * ids, other_logits.data() + row * ids, present, chunk * ids);
    }
    return absl::OkStatus();
  }));
  for (int64_t row = 0; row < rows; ++row) {
    DivergenceStats whole;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) whole.Append(parts[row * chunks + chunk]);
    // Rounding can take equal rows a hair below zero.
    kl[row] = std::max(0.0, whole.Divergence());
    same_top1[row] = whole.dense.argmax == whole.other.argmax;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Divergence(const Head& dense, std::span<const float> dense_hidden, const Head& other,
                        std::span<const float> other_hidden, int64_t rows, std::span<double> kl,
                        std::span<uint8_t> same_top1) {
  if (dense.vocabulary() != other.vocabulary()) {
    return absl::InvalidArgumentError(
        absl::StrCat("divergence between vocabularies of ", dense.vocabulary(), " and ", other.vocabulary(), " ids"));
  }
  if (rows < 0 || dense_hidden.size() != static_cast<size_t>(rows * dense.width()) ||
      other_hidden.size() != static_cast<size_t>(rows * other.width()) || kl.size() != static_cast<size_t>(rows) ||
      same_top1.size() != static_cast<size_t>(rows)) {
    return absl::InvalidArgumentError(absl::StrCat("divergence of ", rows, " rows: sizes do not fit"));
  }
  for (int64_t first = 0; first < rows; first += kGroupRows) {
    TERSOR_RETURN_IF_ERROR(GroupDivergence(
        dense, dense_hidden.data() + first * dense.width(), other, other_hidden.data() + first * other.width(),
        std::min(kGroupRows, rows - first), kl.data() + first, same_top1.data() + first));
  }
  return absl::OkStatus();
}

}  // namespace tersor
