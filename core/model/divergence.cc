#include <algorithm>
#include <functional>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/kernels/logit_reductions.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/model/head.h"

namespace tersor {
namespace {

// Rows whose statistics are gathered at once, and of these, rows whose logits of one chunk are in memory a thread.
constexpr int64_t kGroupRows = 1024;
constexpr int64_t kTileRows = 128;
// Bytes of the logits that are kept for the second look that Jensen-Shannon takes.
constexpr int64_t kKeptBytes = int64_t{128} << 20;

// Rows a group where all their logits are kept.
int64_t KeptRows(int64_t vocabulary) {
  const int64_t rows = std::min(kGroupRows, kKeptBytes / (2 * vocabulary * static_cast<int64_t>(sizeof(float))));
  return rows > kTileRows ? rows / kTileRows * kTileRows : std::max<int64_t>(rows, 16);
}

// Rows of two models.
struct RowPair {
  const Head& dense;
  const float* dense_hidden;
  const Head& other;
  const float* other_hidden;
  int64_t rows;
};

// The logits of a tile of rows and a chunk of ids, dense and other, on the thread that computed them.
using VisitTile = std::function<void(int64_t chunk, int64_t first_row, int64_t rows, const float* dense,
                                     const float* other, int64_t ids)>;

absl::Status ForTiles(const RowPair& pair, const VisitTile& visit) {
  const Head &dense = pair.dense, &other = pair.other;
  ScratchBuffer dense_normed(pair.rows * dense.width()), other_normed(pair.rows * other.width());
  dense.Norm(pair.dense_hidden, pair.rows, dense_normed.data());
  other.Norm(pair.other_hidden, pair.rows, other_normed.data());
  const int64_t ids = dense.chunk_ids();
  const int64_t chunks = (dense.vocabulary() + ids - 1) / ids;
  const int64_t tiles = (pair.rows + kTileRows - 1) / kTileRows;
  return ParallelFor(dense.threads(), tiles * chunks, [&](int64_t task) {
    const int64_t chunk = task / tiles;
    const int64_t first = task % tiles * kTileRows;
    const int64_t count = std::min(kTileRows, pair.rows - first);
    ScratchBuffer dense_logits(count * ids), other_logits(count * ids);
    TERSOR_RETURN_IF_ERROR(
        dense.ChunkLogits(dense_normed.data() + first * dense.width(), count, chunk, dense_logits.data(), ids));
    TERSOR_RETURN_IF_ERROR(
        other.ChunkLogits(other_normed.data() + first * other.width(), count, chunk, other_logits.data(), ids));
    visit(chunk, first, count, dense_logits.data(), other_logits.data(), ids);
    return absl::OkStatus();
  });
}

// Both rows' logits of all chunks, [chunk][dense, other][row][ids].
class KeptLogits {
 public:
  KeptLogits(int64_t chunks, int64_t rows, int64_t ids) : rows_(rows), ids_(ids), values_(chunks * 2 * rows * ids) {}
  float* Row(int64_t chunk, int which, int64_t row) {
    return values_.data() + ((chunk * 2 + which) * rows_ + row) * ids_;
  }

 private:
  int64_t rows_, ids_;
  ScratchBuffer values_;
};

absl::Status GroupDivergence(const RowPair& pair, double* kl, uint8_t* same_top1, double* jensen_shannon) {
  const int64_t ids = pair.dense.chunk_ids(), vocabulary = pair.dense.vocabulary();
  const int64_t chunks = (vocabulary + ids - 1) / ids;
  std::vector<DivergenceStats> parts(pair.rows * chunks);
  std::optional<KeptLogits> kept;
  if (jensen_shannon != nullptr) kept.emplace(chunks, pair.rows, ids);
  const VisitTile visit = [&](int64_t chunk, int64_t first, int64_t rows, const float* dense, const float* other,
                              int64_t stride) {
    const int64_t present = std::min(ids, vocabulary - chunk * ids);
    for (int64_t row = 0; row < rows; ++row, dense += stride, other += stride) {
      parts[(first + row) * chunks + chunk] = ReduceLogitPair(dense, other, present, chunk * ids);
      if (!kept) continue;
      std::copy_n(dense, present, kept->Row(chunk, 0, first + row));
      std::copy_n(other, present, kept->Row(chunk, 1, first + row));
    }
  };
  TERSOR_RETURN_IF_ERROR(ForTiles(pair, visit));
  return ParallelFor(pair.dense.threads(), pair.rows, [&](int64_t row) {
    DivergenceStats whole;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) whole.Append(parts[row * chunks + chunk]);
    // Rounding can take equal rows a hair below zero.
    kl[row] = std::max(0.0, whole.Divergence());
    same_top1[row] = whole.dense.argmax == whole.other.argmax;
    if (!kept) return absl::OkStatus();
    const double dense_sum = whole.dense.LogSumExp(), other_sum = whole.other.LogSumExp();
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      sum += JensenShannonPart(kept->Row(chunk, 0, row), dense_sum, kept->Row(chunk, 1, row), other_sum,
                               std::min(ids, vocabulary - chunk * ids));
    }
    jensen_shannon[row] = std::max(0.0, sum);
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status Divergence(const Head& dense, std::span<const float> dense_hidden, const Head& other,
                        std::span<const float> other_hidden, int64_t rows, std::span<double> kl,
                        std::span<uint8_t> same_top1, std::span<double> jensen_shannon) {
  if (dense.vocabulary() != other.vocabulary()) {
    return absl::InvalidArgumentError(
        absl::StrCat("divergence between vocabularies of ", dense.vocabulary(), " and ", other.vocabulary(), " ids"));
  }
  if (rows < 0 || dense_hidden.size() != static_cast<size_t>(rows * dense.width()) ||
      other_hidden.size() != static_cast<size_t>(rows * other.width()) || kl.size() != static_cast<size_t>(rows) ||
      same_top1.size() != static_cast<size_t>(rows) ||
      (!jensen_shannon.empty() && jensen_shannon.size() != static_cast<size_t>(rows))) {
    return absl::InvalidArgumentError(absl::StrCat("divergence of ", rows, " rows: sizes do not fit"));
  }
  const int64_t group = jensen_shannon.empty() ? kGroupRows : KeptRows(dense.vocabulary());
  for (int64_t first = 0; first < rows; first += group) {
    const RowPair pair = {dense, dense_hidden.data() + first * dense.width(), other,
                          other_hidden.data() + first * other.width(), std::min(group, rows - first)};
    TERSOR_RETURN_IF_ERROR(GroupDivergence(pair, kl.data() + first, same_top1.data() + first,
                                           jensen_shannon.empty() ? nullptr : jensen_shannon.data() + first));
  }
  return absl::OkStatus();
}

}  // namespace tersor
