#include "core/compress/quantize/llm_int8.h"

#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"

namespace tersor {
namespace {

constexpr double kThreshold = 6, kLargestThreshold = 1e6;
constexpr GridOptions kGrid = {.bits = 8, .group_size = -1};

}  // namespace

MethodDescription LlmInt8Method::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Vector-wise 8-bit weights and inputs; inputs of large magnitude stay in float",
          .reference = "arXiv 2208.07339",
          .options = {{"threshold", "number", "6", "Inputs of at least this magnitude stay in float"}}};
}

std::unique_ptr<const Method> LlmInt8Method::Make(const v1::QuantizeStage& stage, const std::string& field,
                                                  std::vector<FieldViolation>& violations) {
  const double threshold = stage.llm_int8().has_threshold() ? stage.llm_int8().threshold() : kThreshold;
  RefuseActivations(stage, StageField(field), kName, violations);
  OptionChecks{field, violations}.InRange("threshold", threshold, 1e-6, kLargestThreshold);
  return std::unique_ptr<const Method>(
      new LlmInt8Method(ActivationPlan::IntToken({.bits = 8, .outlier_threshold = static_cast<float>(threshold)})));
}

PlannedEncoding LlmInt8Method::WeightEncoding(const LinearLayer& layer) const { return GroupIntEncoding(kGrid, layer); }

absl::StatusOr<EncodedLayer> LlmInt8Method::EncodeWeight(const LayerWeight& weight) const {
  return EncodeToNearest(weight, kGrid);
}

}  // namespace tersor
