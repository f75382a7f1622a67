#include "core/compress/method.h"

namespace tersor {

v1::LayerResult DescribeLayer(const std::string& name, const EncodedTensor& weight, double relative_error,
                              const std::string& note) {
  v1::LayerResult result;
  result.set_name(name);
  result.set_encoding(std::string(weight.encoding()));
  result.set_true_bits(8.0 * static_cast<double>(weight.byte_size()) / static_cast<double>(weight.elements()));
  result.set_relative_error(relative_error);
  result.set_note(note);
  return result;
}

}  // namespace tersor
