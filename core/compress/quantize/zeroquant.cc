#include "core/compress/quantize/zeroquant.h"

#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"

namespace tersor {

MethodDescription ZeroQuantMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Group-wise integer weights, token-wise 8-bit inputs; reads no calibration text",
          .reference = "arXiv 2206.01861, section 4.1",
          .options = {{"bits", "integer", "8", "Bits of a weight, 2 to 8"},
                      {"group_size", "integer", "64", "Weights of a row that share a scale; -1: one scale a row"},
                      {"symmetric", "boolean", "true", "Weights have no zero points"}}};
}

std::unique_ptr<const Method> ZeroQuantMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                                    std::vector<FieldViolation>& violations) {
  const v1::ZeroQuantConfig& config = stage.zeroquant();
  GridOptions grid{.bits = 8, .group_size = 64};
  if (config.has_bits()) grid.bits = config.bits();
  if (config.has_group_size()) grid.group_size = config.group_size();
  if (config.has_symmetric()) grid.symmetric = config.symmetric();
  const OptionChecks checks{field, violations};
  checks.Bits("bits", grid.bits);
  checks.GroupSize("group_size", grid.group_size);
  return std::unique_ptr<const Method>(
      new ZeroQuantMethod(grid, ReadActivations(stage, ActivationPlan::IntToken({}), StageField(field), violations)));
}

PlannedEncoding ZeroQuantMethod::WeightEncoding(const LinearLayer& layer) const {
  return GroupIntEncoding(grid_, layer);
}

absl::StatusOr<EncodedLayer> ZeroQuantMethod::EncodeWeight(const LayerWeight& weight) const {
  return EncodeToNearest(weight, grid_);
}

}  // namespace tersor
