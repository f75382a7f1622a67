// What a linear layer's input is quantized to at run time.
#ifndef TERSOR_CORE_ENCODING_ACTIVATION_FORMAT_H_
#define TERSOR_CORE_ENCODING_ACTIVATION_FORMAT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"
#include "nlohmann/json_fwd.hpp"

namespace tersor {

// Stored with the layer's weight (input_format_tensor.h) and applied to every row that enters the layer, in prefill and
// in decoding alike. Immutable and thread-safe.
class ActivationFormat {
 public:
  virtual ~ActivationFormat() = default;

  // Stable name, written into the container's manifest: "int-token".
  virtual absl::string_view name() const = 0;
  // Inputs of the layer.
  virtual int64_t width() const = 0;
  // Bits that one input value takes, what is shared by a row left out.
  virtual double bits() const = 0;
  // x [rows, width()] as the format holds it, decoded again, into `out`, which may be x itself. A row's result depends
  // on the row alone. The reference: fast kernels multiply the codes, and are held against it.
  virtual void Round(const float* x, int64_t rows, float* out) const = 0;
  // Stored parts (static scales, ...; often none) and the parameters that rebuild the format.
  virtual std::vector<EncodedField> Fields() const = 0;
  virtual nlohmann::json Parameters() const = 0;
};

using ActivationFormatPtr = std::shared_ptr<const ActivationFormat>;

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_ACTIVATION_FORMAT_H_
