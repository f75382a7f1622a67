#include "core/compress/method.h"

#include "absl/strings/str_cat.h"
#include "core/encoding/activation_format.h"

namespace tersor {

absl::StatusOr<SegmentOutcome> Method::PrepareBlock(const BlockTask&) const { return SegmentOutcome{}; }

v1::LayerResult DescribeLayer(const std::string& name, const EncodedTensor& weight, double relative_error,
                              const std::string& note) {
  v1::LayerResult result;
  result.set_name(name);
  result.set_encoding(std::string(weight.weight().encoding()));
  if (weight.input_format() != nullptr) {
    result.set_encoding(absl::StrCat(result.encoding(), ", inputs ", weight.input_format()->name()));
  }
  result.set_true_bits(8.0 * static_cast<double>(weight.byte_size()) / static_cast<double>(weight.elements()));
  result.set_relative_error(relative_error);
  result.set_note(note);
  return result;
}

}  // namespace tersor
