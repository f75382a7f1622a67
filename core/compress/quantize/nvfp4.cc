#include "core/compress/quantize/nvfp4.h"

namespace tersor {

MethodDescription NvFp4Method::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "4-bit floats in blocks of 16 with an 8-bit float scale each; reads no calibration text",
          .reference = "",
          .options = {}};
}

std::unique_ptr<const Method> NvFp4Method::Make(const v1::QuantizeStage& stage, const std::string& field,
                                                std::vector<FieldViolation>& violations) {
  return std::unique_ptr<const Method>(new NvFp4Method(ReadActivations(stage, {}, StageField(field), violations)));
}

CodebookOptions NvFp4Method::Options() {
  return {.book = &E2m1Book(), .group_size = kBlock, .scales = ScaleForm::kE4m3Over};
}

PlannedEncoding NvFp4Method::WeightEncoding(const LinearLayer& layer) const {
  return CodebookEncoding(Options(), layer);
}

absl::StatusOr<EncodedLayer> NvFp4Method::EncodeWeight(const LayerWeight& weight) const {
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, RoundToCodebook(weight.values, Options(), weight.threads));
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
