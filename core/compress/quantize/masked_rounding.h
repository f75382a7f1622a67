// Leaving weights out column by column with error feedback, alone or with the rounding of those that stay.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_MASKED_ROUNDING_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_MASKED_ROUNDING_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/compress/quantize/feedback_system.h"
#include "core/compress/quantize/quantized_matrix.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// Of weights that are chosen among together, in order: sets kept[i] to 0 where weight i is left out, else to 1. The
// scores are what leaving a weight out costs (SparseGPT's equation 4): finite and not negative, but for weights that
// are out already, which have -1.
using ChooseKept = std::function<void(std::span<const float> scores, uint8_t* kept)>;

struct MaskedRounding {
  // Columns, in the order of rounding, that are worked on together: their weights are chosen at once, by what the
  // feedback of all columns before has made of them. A multiple of `run` and of the grid's groups, or the whole row.
  int64_t block_columns = 128;
  // Chooses among all rows' weights of a block; null: only what `given` says is left out.
  ChooseKept choose = nullptr;
  // Not 0: chooses in each row among so many neighbours in the order of rounding, one run after another.
  int64_t run = 0;
  // 0 where a weight [rows, columns] is out already; empty: none is.
  std::span<const uint8_t> given = {};
  // What kept weights are rounded to; nothing: they stay floats. Groups are neighbours in the order of rounding.
  std::optional<GridOptions> grid = std::nullopt;
  int threads = 1;
  const CancellationToken* cancellation = nullptr;
};

struct MaskedMatrix {
  // [rows, columns]: marks, and what the weights became, zero where they are left out.
  std::vector<uint8_t> kept;
  std::vector<float> values;
  // Where there is a grid.
  std::optional<QuantizedMatrix> codes;
  // Sum over rows of d (X^T X + damping) d^T.
  double loss = 0;
};

// The columns go through in the system's order: those that are left out become zero, the others round to the grid or
// stay, and the columns after them make up for the errors as well as they can (SparseGPT, arXiv 2301.00774, section
// 3.3; with a grid the pass of section 3.4). Does not depend on threads.
absl::StatusOr<MaskedMatrix> RoundMasked(const FeedbackSystem& system, ConstMatrixView weights,
                                         const MaskedRounding& rounding);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_MASKED_ROUNDING_H_
