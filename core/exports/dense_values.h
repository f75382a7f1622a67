// A tensor's values rounded to one floating-point type.
#ifndef TERSOR_CORE_EXPORTS_DENSE_VALUES_H_
#define TERSOR_CORE_EXPORTS_DENSE_VALUES_H_

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/tensor/dtype.h"

namespace tersor {

// Which types hold a tensor's values.
struct DenseFit {
  bool exact_f16 = true;
  bool exact_bf16 = true;
  // Rounding to F16 gives no infinity.
  bool finite_f16 = true;

  void Add(const DenseFit& other);
};

// Decodes all of it once.
DenseFit FitOf(const EncodedTensor& tensor);

using ByteSink = std::function<absl::Status(std::span<const std::byte>)>;

// Rounds to F32, F16 or BF16 (to nearest, ties to even) and hands on a row at a time. OUT_OF_RANGE names the tensor
// where a finite value becomes infinite.
absl::Status RoundTo(DType dtype, absl::string_view name, const EncodedTensor& tensor, const ByteSink& sink);

// One row of it.
absl::Status RoundRow(DType dtype, absl::string_view name, std::span<const float> row, std::vector<std::byte>& bytes);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_DENSE_VALUES_H_
