// Products of 8-bit activations and 8-bit weights with exact 32-bit sums.
#ifndef TERSOR_CORE_KERNELS_INT8_MATRIX_H_
#define TERSOR_CORE_KERNELS_INT8_MATRIX_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/status.h"
#include "core/kernels/integer_inputs.h"
#include "core/kernels/row_matrix.h"

namespace tersor {

// What multiplies: the matmul library on VNNI or AMX, and without these, where its 8-bit products saturate in 16 bits,
// Tersor's own kernel, which takes apart the codes that would.
enum class Int8Engine { kOneDnn, kQuads };
Int8Engine BestInt8Engine();

// What is packed: value = (code - zero point) * scale, group g of a row being columns g * group_size .. + group_size
// - 1.
struct Int8Weights {
  int64_t outputs = 0;
  int64_t inputs = 0;
  // Divides `inputs`.
  int64_t group_size = 0;
  // [outputs, inputs], -128 .. 127.
  std::span<const int8_t> codes;
  // [outputs, groups].
  std::span<const float> scales;
  // [outputs, groups], or none: 0.
  std::span<const int8_t> zero_points = {};
};

// A weight that multiplies inputs of one format. Immutable and thread-safe; cheap to move.
class Int8Matrix final : public RowMatrix {
 public:
  // Of more, sums of products might leave 32 bits.
  static constexpr int64_t kMostInputs = int64_t{1} << 16;
  // The same for weights with zero points.
  static constexpr int64_t kMostInputsWithZeroPoints = int64_t{1} << 15;

  Int8Matrix();
  ~Int8Matrix() override;
  Int8Matrix(Int8Matrix&&) noexcept;
  Int8Matrix& operator=(Int8Matrix&&) noexcept;

  // Whether weights in such groups multiply inputs in such groups: one divides the other, and of several groups the
  // shorter has whole fours.
  static bool Supports(int64_t inputs, int64_t weight_group, bool weight_zero_points, int64_t input_group);

  // INVALID_ARGUMENT where sizes do not fit. `engine` gives way to kQuads where the library has no such product:
  // groups, outliers and zero points of weights.
  static absl::StatusOr<Int8Matrix> Pack(const Int8Weights& weights, IntegerInputs inputs,
                                         Int8Engine engine = BestInt8Engine());

  int64_t outputs() const override;
  int64_t inputs() const override;
  // The library does all outputs at once.
  int64_t panels() const override;
  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override;
  Int8Engine engine() const;

  // y [rows, outputs] = x W^T, plus `bias` unless null, plus the old y where `accumulate`, on the calling thread, each
  // row of x first rounded to the inputs' format. The sum of code products is exact, then multiplied by both scales:
  // the same bits with any engine, whatever the number of rows. Strides are between rows, in floats.
  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_INT8_MATRIX_H_
