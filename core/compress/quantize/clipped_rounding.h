// AWQ's clipping: the range of each group of weights, by the error of the layer's outputs.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_CLIPPED_ROUNDING_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_CLIPPED_ROUNDING_H_

#include "core/compress/quantize/quantized_matrix.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// Rounds to nearest on the range, of kClipSteps shares of each group's full one down to half of it, with the least e M
// e^T, where e are the group's errors and M is the group's block of the inputs' second moment (arXiv 2306.00978,
// section 3.2; the authors' auto_clip). `moment` holds X^T X in its lower triangle. Weights are finite.
inline constexpr int kClipSteps = 10;
QuantizedMatrix RoundClipped(ConstMatrixView weights, ConstMatrixView moment, const GridOptions& options, int threads);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_CLIPPED_ROUNDING_H_
