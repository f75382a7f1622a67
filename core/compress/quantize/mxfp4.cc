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
  const CodebookOptions options = {
      .book = &E2m1Book(), .group_size = 32, .scales = ScaleForm::kE8m0, .mx_scales = true};
  return std::unique_ptr<const Method>(
      new MxFp4Method(options, ReadActivations(stage, {}, StageField(field), violations)));
}

}  // namespace tersor
