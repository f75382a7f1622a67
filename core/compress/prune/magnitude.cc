#include "core/compress/prune/magnitude.h"

namespace tersor {

MethodDescription MagnitudeMethod::Describe() {
  return {.name = std::string(kName),
          .family = "prune",
          .summary = "Keeps a layer's largest weights; reads no calibration text",
          .reference = "",
          .options = {}};
}

std::unique_ptr<const Method> MagnitudeMethod::Make(const v1::PruneStage& stage, const std::string& field,
                                                    std::vector<FieldViolation>& violations) {
  return std::make_unique<MagnitudeMethod>(ReadPruneOptions(stage, field, violations));
}

}  // namespace tersor
