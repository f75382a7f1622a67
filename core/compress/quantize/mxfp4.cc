#include "core/compress/quantize/mxfp4.h"

namespace tersor {

MethodDescription MxFp4Method::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "4-bit floats in blocks of 32 with a power of two each; reads no calibration text",
          .reference = "OCP Microscaling Formats 1.0",
          .options = {}};
}

std::unique_ptr<const Method> MxFp4Method::Make(const v1::QuantizeStage& stage, const std::string& field,
                                                std::vector<FieldViolation>& violations) {
  return std::unique_ptr<const Method>(new MxFp4Method(ReadActivations(stage, {}, StageField(field), violations)));
}

CodebookOptions MxFp4Method::Options() {
  return {.book = &E2m1Book(), .group_size = kBlock, .scales = ScaleForm::kE8m0, .mx_scales = true};
}

PlannedEncoding MxFp4Method::WeightEncoding(const LinearLayer& layer) const {
  return CodebookEncoding(Options(), layer);
}

absl::StatusOr<EncodedLayer> MxFp4Method::EncodeWeight(const LayerWeight& weight) const {
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, RoundToCodebook(weight.values, Options(), weight.threads));
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
