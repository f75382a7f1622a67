#include "core/encoding/encoded_tensor.h"

#include "core/tensor/mapped_file.h"

namespace tersor {

std::vector<float> EncodedTensor::Decode() const {
  std::vector<float> values(static_cast<size_t>(elements()));
  DecodeRows(0, rows(), values.data());
  return values;
}

void EncodedTensor::ReleasePages() const {
  for (const EncodedField& field : Fields()) ReleaseMappedPages(field.tensor.bytes());
}

}  // namespace tersor
