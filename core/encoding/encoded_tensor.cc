#include "core/encoding/encoded_tensor.h"

namespace tersor {

std::vector<float> EncodedTensor::Decode() const {
  std::vector<float> values(static_cast<size_t>(elements()));
  DecodeRows(0, rows(), values.data());
  return values;
}

}  // namespace tersor
