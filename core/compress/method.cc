#include "core/compress/method.h"

#include "absl/strings/str_cat.h"
#include "core/compress/keep_mask.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/sparse_mask.h"
#include "nlohmann/json.hpp"

namespace tersor {

PlannedEncoding Method::EncodingAfter(const LinearLayer& layer, const PlannedEncoding& before) const {
  return PlanKeptMask(layer, before, Encoding(layer));
}

std::string Method::WhyNotPruned() const {
  if (!preparation_statistics().empty()) return "it scales a block's weights before any stage has changed them";
  return "it would make weights that were left out other than zero";
}

absl::StatusOr<nlohmann::json> Method::Analyze(const BlockTask&) const {
  return absl::UnimplementedError(absl::StrCat(name(), " decides nothing"));
}

absl::StatusOr<nlohmann::json> Method::Decide(const std::vector<nlohmann::json>&) const {
  return absl::UnimplementedError(absl::StrCat(name(), " decides nothing"));
}

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
  if (weight.mask() != nullptr) {
    result.set_sparsity(1 - static_cast<double>(weight.mask()->count()) / static_cast<double>(weight.elements()));
  }
  result.set_relative_error(relative_error);
  result.set_note(note);
  return result;
}

}  // namespace tersor
