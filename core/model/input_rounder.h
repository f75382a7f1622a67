// Input formats as fast kernels compute them. Private to core/model.
#ifndef TERSOR_CORE_MODEL_INPUT_ROUNDER_H_
#define TERSOR_CORE_MODEL_INPUT_ROUNDER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/encoding/activation_format.h"
#include "core/kernels/integer_inputs.h"

namespace tersor {

// The format as integers of at most 8 bits; none where it is none of these.
std::optional<IntegerInputs> IntegerInputsOf(const ActivationFormat& format);
// What reports call them: "int8 per token", "int8 per layer, shifted".
std::string IntegerInputsName(const IntegerInputs& inputs);

// ActivationFormat::Round, with the same bits. Immutable and thread-safe.
class InputRounder {
 public:
  virtual ~InputRounder() = default;
  // x [rows, width] of any stride, in floats, into `out` [rows, width].
  void Round(const float* x, int64_t x_stride, int64_t rows, float* out) const;

  static std::unique_ptr<const InputRounder> Create(ActivationFormatPtr format);

 protected:
  explicit InputRounder(int64_t width) : width_(width) {}
  // One row; `out` may be `x`.
  virtual void RoundRow(const float* x, float* out) const = 0;
  int64_t width() const { return width_; }

 private:
  const int64_t width_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_INPUT_ROUNDER_H_
