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
  const CodebookOptions options = {.book = &E2m1Book(), .group_size = 16, .scales = ScaleForm::kE4m3Over};
  return std::unique_ptr<const Method>(
      new NvFp4Method(options, ReadActivations(stage, {}, StageField(field), violations)));
}

}  // namespace tersor
