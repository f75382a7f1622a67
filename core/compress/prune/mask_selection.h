// Choosing the weights that are kept by a score of each.
#ifndef TERSOR_CORE_COMPRESS_PRUNE_MASK_SELECTION_H_
#define TERSOR_CORE_COMPRESS_PRUNE_MASK_SELECTION_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/compress/prune/prune_options.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/sparse_mask.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// Sets kept[i] to 0 for the `left_out` least scores and to 1 for the others; of equal ones those that come first are
// left out.
void KeepLargest(std::span<const float> scores, int64_t left_out, uint8_t* kept);

// By rows: of each row, or of each of its runs where there is a pattern, the weights with the largest scores.
// [rows, columns]; scores are finite.
std::vector<uint8_t> KeepByRow(ConstMatrixView scores, const PruneOptions& options, int threads);
// The same over the whole matrix; a pattern is kept by runs all the same.
std::vector<uint8_t> KeepByLayer(ConstMatrixView scores, const PruneOptions& options, int threads);

// What a stage before has left out scores less than everything else, so that it stays out.
void ScoreLeftOut(const EncodedTensor& weight, std::vector<float>& scores);

// The kept ones of `weights` [rows, columns]; stored as floats of the type that `before` has, F16 where it is codes.
// What `before` had left out is left out as well, though that may break the pattern.
absl::StatusOr<EncodedTensorPtr> EncodeMasked(const EncodedTensor& before, std::vector<uint8_t> kept,
                                              std::span<const float> weights, MaskPattern pattern);

// Bytes of a kept weight there.
int64_t MaskedValueBytes(const PlannedEncoding& before, const LinearLayer& layer);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_MASK_SELECTION_H_
