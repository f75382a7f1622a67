// Products of 8-bit activations and 8-bit weights with exact 32-bit sums.
#ifndef TERSOR_CORE_KERNELS_INT8_MATRIX_H_
#define TERSOR_CORE_KERNELS_INT8_MATRIX_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/status.h"

namespace tersor {

// What multiplies: the matmul library on VNNI or AMX, and without these, where its 8-bit products saturate in 16 bits,
// Tersor's own kernel, which takes apart the codes that would.
enum class Int8Engine { kOneDnn, kQuads };
Int8Engine BestInt8Engine();

// W [outputs, inputs] of codes -128 .. 127 with a scale for each output: value = code * scale. Immutable and
// thread-safe; cheap to move.
class Int8Matrix {
 public:
  // Of more, sums of products might leave 32 bits.
  static constexpr int64_t kMostInputs = int64_t{1} << 16;

  Int8Matrix();
  ~Int8Matrix();
  Int8Matrix(Int8Matrix&&) noexcept;
  Int8Matrix& operator=(Int8Matrix&&) noexcept;

  // INVALID_ARGUMENT where sizes do not fit.
  static absl::StatusOr<Int8Matrix> Pack(std::span<const int8_t> codes, std::span<const float> scales, int64_t outputs,
                                         int64_t inputs, Int8Engine engine = BestInt8Engine());

  int64_t outputs() const;
  int64_t inputs() const;

  // y [rows, outputs] = x W^T, plus `bias` unless null, plus the old y where `accumulate`, on the calling thread, each
  // row of x first rounded to code * scale with scale = largest magnitude / 127 and codes -127 .. 127 (to the nearest,
  // ties to even). The sum of code products is exact, then multiplied by both scales: the same bits with any engine,
  // whatever the number of rows. Strides are between rows, in floats.
  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The rounding alone: codes of `inputs` values, and their scale.
float QuantizeInt8Row(const float* x, int64_t inputs, int8_t* codes);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_INT8_MATRIX_H_
