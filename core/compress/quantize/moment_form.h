// The outputs' squared error by the inputs' second moment, many rows at a time.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_MOMENT_FORM_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_MOMENT_FORM_H_

#include <array>
#include <cstdint>
#include <vector>

#include "core/kernels/grid_rounding.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// One value a row of a panel.
using PanelLosses = std::array<double, kPanelRows>;

// e M e^T of rows e: what an error of a layer's weights does to its outputs on the inputs X with X^T X = M. No token is
// multiplied. Immutable and thread-safe.
class MomentForm {
 public:
  // Copies M from its lower triangle.
  explicit MomentForm(ConstMatrixView lower);

  int64_t columns() const { return columns_; }
  // losses[r] += e_r M e_r^T, r over the panel's rows; `errors` is a panel array (grid_rounding.h) of all columns.
  void AddLosses(const float* errors, PanelLosses& losses) const;

 private:
  int64_t PanelOffset(int64_t panel) const;

  int64_t columns_;
  // Panel p holds kPanelColumns columns of the rows from the diagonal down, the square on the diagonal in full.
  std::vector<float> values_;
};

// The rows (at most kPanelRows) as a panel array; rows past the last are zero.
std::vector<float> ToPanel(ConstMatrixView rows);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_MOMENT_FORM_H_
