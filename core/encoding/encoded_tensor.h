// A stored tensor in whatever form its bytes have: the joint between formats, methods and the model.
#ifndef TERSOR_CORE_ENCODING_ENCODED_TENSOR_H_
#define TERSOR_CORE_ENCODING_ENCODED_TENSOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/tensor/tensor.h"
#include "nlohmann/json_fwd.hpp"

namespace tersor {

class ActivationFormat;
class SparseMask;

// One stored part of an encoding: "codes", "scales", "zero_points", ...
struct EncodedField {
  std::string name;
  Tensor tensor;
};

// Immutable and thread-safe. The logical tensor has 1 or 2 dimensions; a matrix is [rows = outputs, columns = inputs].
// What is evaluated is what DecodeRows gives: no caller has a better version of the weights.
class EncodedTensor {
 public:
  virtual ~EncodedTensor() = default;

  // Stable name, written into the container's manifest: "dense", "group-int", "gguf-block".
  virtual absl::string_view encoding() const = 0;
  // Logical shape.
  virtual const Shape& shape() const = 0;
  // Bytes of all fields: what "size" and "true bits" count.
  virtual uint64_t byte_size() const = 0;
  // Decodes rows [first, first + count) row-major into `out`, count x columns floats. A vector is one row.
  // Bounds are the caller's duty. Any thread may decode any rows at any time.
  virtual void DecodeRows(int64_t first, int64_t count, float* out) const = 0;
  // The stored parts and the parameters that rebuild this tensor (see encoding_registry.h).
  virtual std::vector<EncodedField> Fields() const = 0;
  virtual nlohmann::json Parameters() const = 0;
  // What the inputs of a layer with this weight are quantized to (activation_format.h); null: they stay in float.
  virtual const ActivationFormat* input_format() const { return nullptr; }
  // The weight without its input format: what kernels and exports look into.
  virtual const EncodedTensor& weight() const { return *this; }
  // Which weights are zero because they were left out; null: none are known to be.
  virtual const SparseMask* mask() const { return nullptr; }
  // Gives back the memory of fields that lie in mapped files; see ReleaseMappedPages.
  virtual void ReleasePages() const;

  int64_t rows() const { return shape().size() < 2 ? 1 : shape()[0]; }
  int64_t columns() const { return shape().empty() ? 1 : shape().back(); }
  int64_t elements() const { return rows() * columns(); }
  // All of it, row-major.
  std::vector<float> Decode() const;
};

using EncodedTensorPtr = std::shared_ptr<const EncodedTensor>;

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_ENCODED_TENSOR_H_
