// Rows of floats as the integers that QuadProduct multiplies. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_QUAD_INPUTS_H_
#define TERSOR_CORE_KERNELS_QUAD_INPUTS_H_

#include <array>
#include <cstdint>

#include "core/kernels/int8_product.h"
#include "core/kernels/integer_inputs.h"
#include "core/kernels/row_matrix.h"
#include "core/kernels/scratch.h"

namespace tersor {

// So many floats hold `bytes`.
inline int64_t FloatsFor(int64_t bytes) {
  return (bytes + static_cast<int64_t>(sizeof(float)) - 1) / static_cast<int64_t>(sizeof(float));
}

class QuadInputs {
 public:
  static constexpr int64_t kMostRows = 128;

  // Rounds x.rows rows, at most kMostRows; inputs of a segment share a scale.
  QuadInputs(const IntegerInputs& grid, int64_t segment, const PanelRows& x);
  QuadInputs(const QuadInputs&) = delete;
  QuadInputs& operator=(const QuadInputs&) = delete;

  // Lives as long as this.
  const QuadRows& rows() const { return rows_; }

 private:
  int64_t stride_;
  ScratchBuffer codes_, numbers_, rests_, outliers_;
  std::array<int64_t, kMostRows + 1> rest_starts_{}, outlier_starts_{};
  QuadRows rows_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_QUAD_INPUTS_H_
