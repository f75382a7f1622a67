// How far what was read back lies from what is in memory.
#ifndef TERSOR_CORE_EXPORTS_DIFFERENCE_H_
#define TERSOR_CORE_EXPORTS_DIFFERENCE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// Over the tensors of one export. Not thread-safe.
class DifferenceTally {
 public:
  // Fills in the largest |found - expected| for each expected value of row `index`: the rounding of the format.
  using Tolerance = std::function<void(int64_t index, std::span<const float> row, std::span<float> allowed)>;

  // Decodes both row by row. DATA_LOSS names the tensor and element where the shapes differ, a value is not finite or
  // the difference exceeds the tolerance; a null tolerance asks for equality.
  absl::Status Compare(absl::string_view name, const EncodedTensor& expected, const EncodedTensor& found,
                       const Tolerance& tolerance);

  // "212 tensors equal; 60 differ by rounding, at most 1.2e-05 (model.embed_tokens.weight)".
  std::string Text() const;
  double largest() const { return largest_; }

 private:
  int64_t equal_ = 0;
  int64_t rounded_ = 0;
  double largest_ = 0;
  std::string largest_name_;
};

// Half a unit in the last place of F16 and of BF16, subnormal numbers included.
void F16Tolerance(int64_t index, std::span<const float> row, std::span<float> allowed);
void BF16Tolerance(int64_t index, std::span<const float> row, std::span<float> allowed);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_DIFFERENCE_H_
