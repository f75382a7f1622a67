// Improving a rounded panel: scales by least squares, codes by coordinate descent.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_GRID_REFINEMENT_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_GRID_REFINEMENT_H_

#include "core/compress/quantize/feedback_rounding.h"
#include "core/compress/quantize/feedback_system.h"
#include "core/compress/quantize/integer_grid.h"

namespace tersor {

// `rounds` times: given the codes, the scales of each row that minimize d H d^T jointly (rounded to F16, taken where
// they are better); then, given the scales, one sweep of coordinate descent over the codes. No row's loss grows. The
// system must hold its moment, and groups must stay together in its order. Any thread may refine any panel.
void RefinePanel(const FeedbackSystem& system, const GridOptions& options, int rounds, RoundingPanel& panel);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_GRID_REFINEMENT_H_
