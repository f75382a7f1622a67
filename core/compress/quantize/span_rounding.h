// Round to nearest without search: a layer's rows on the grids that span their groups, a few at a time.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_SPAN_ROUNDING_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_SPAN_ROUNDING_H_

#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layer_rounding.h"

namespace tersor {

// The same bits as RoundToNearest of rtn.h gives and packs; rows are decoded, rounded and packed by tiles that stay in
// a core's cache. `options` searches nothing; their group size divides the columns. INVALID_ARGUMENT names a weight
// that is not finite or too large for F16 scales.
absl::StatusOr<EncodedLayer> EncodeToSpans(const LayerWeight& weight, const GridOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_SPAN_ROUNDING_H_
