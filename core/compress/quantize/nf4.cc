#include "core/compress/quantize/nf4.h"

#include "core/compress/quantize/option_checks.h"

namespace tersor {

MethodDescription Nf4Method::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "4-bit codes for the quantiles of a normal distribution; reads no calibration text",
          .reference = "arXiv 2305.14314, section 3",
          .options = {{"group_size", "integer", "64", "Weights of a row that share a scale; -1: one scale a row"},
                      {"double_quantization", "boolean", "true", "Scales in 8 bits, in blocks of 256"}}};
}

std::unique_ptr<const Method> Nf4Method::Make(const v1::QuantizeStage& stage, const std::string& field,
                                              std::vector<FieldViolation>& violations) {
  const v1::Nf4Config& config = stage.nf4();
  CodebookOptions options{.book = &Nf4Book(), .group_size = 64, .scales = ScaleForm::kDouble};
  if (config.has_group_size()) options.group_size = config.group_size();
  if (config.has_double_quantization() && !config.double_quantization()) options.scales = ScaleForm::kF16;
  OptionChecks{field, violations}.GroupSize("group_size", options.group_size);
  return std::unique_ptr<const Method>(
      new Nf4Method(options, ReadActivations(stage, {}, StageField(field), violations)));
}

}  // namespace tersor
