// The grids of a panel's groups as bilevel-int stores them.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_BILEVEL_GRIDS_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_BILEVEL_GRIDS_H_

#include <cstdint>

#include "core/compress/quantize/integer_grid.h"
#include "core/encoding/bilevel_int_tensor.h"

namespace tersor {

// Quantizes the grids of group `group` of rows first_row .. : the second-level grid of each tile spans the scales and
// zero points of its rows in `free`, then each row takes those of the neighbouring codes that have the least squared
// error of its values, weighted by `importance` (may be null). `values` is the panel array of the group's columns.
// Writes codes and grids of these rows to `parts` and returns the grids that they mean. A panel's first row begins a
// tile. Different panels may be written by different threads.
PanelGrids QuantizeGrids(const PanelGrids& free, const float* values, int64_t columns, const float* importance,
                         const BilevelIntLayout& layout, int64_t first_row, int64_t group, BilevelIntParts& parts);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_BILEVEL_GRIDS_H_
