#include "core/compress/quantize/fp8.h"

#include "core/compress/quantize/option_checks.h"

namespace tersor {

MethodDescription Fp8Method::Describe() {
  return {
      .name = std::string(kName),
      .family = "quantize",
      .summary = "8-bit floats for weights (a scale an output channel) and inputs (a scale a token)",
      .reference = "OCP 8-bit floating point; arXiv 2307.09782",
      .options = {{"format", "e4m3 | e5m2", "e4m3", "Weights' format; inputs take the same unless `activations` say"},
                  {"group_size", "integer", "-1", "Weights of a row that share a scale; -1: one scale a row"},
                  {"power_of_two_scales", "boolean", "false", "Weights' scales are powers of two"}}};
}

std::unique_ptr<const Method> Fp8Method::Make(const v1::QuantizeStage& stage, const std::string& field,
                                              std::vector<FieldViolation>& violations) {
  const v1::Fp8Config& config = stage.fp8();
  const OptionChecks checks{field, violations};
  const bool wide = config.format() == "e5m2";
  if (!config.format().empty()) checks.OneOf("format", config.format(), {"e4m3", "e5m2"});
  CodebookOptions options{.book = wide ? &E5m2Book() : &E4m3Book(), .scales = ScaleForm::kF32};
  if (config.has_group_size()) options.group_size = config.group_size();
  if (config.power_of_two_scales()) options.scales = ScaleForm::kE8m0;
  checks.GroupSize("group_size", options.group_size);
  const ActivationPlan inputs = ActivationPlan::FloatToken(*options.book, -1, ScaleForm::kF32);
  return std::unique_ptr<const Method>(
      new Fp8Method(options, ReadActivations(stage, inputs, StageField(field), violations)));
}

}  // namespace tersor
