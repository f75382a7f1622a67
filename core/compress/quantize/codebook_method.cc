#include "core/compress/quantize/codebook_method.h"

namespace tersor {

absl::StatusOr<EncodedLayer> CodebookMethod::EncodeWeight(const LayerWeight& weight) const {
  TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, RoundToCodebook(values.view(), options_, weight.threads));
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
