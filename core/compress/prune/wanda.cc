#include "core/compress/prune/wanda.h"

namespace tersor {

MethodDescription WandaMethod::Describe() {
  return {.name = std::string(kName),
          .family = "prune",
          .summary = "Keeps, for each output, the weights whose magnitude times their input's norm is largest",
          .reference = "arXiv 2306.11695",
          .options = {}};
}

std::unique_ptr<const Method> WandaMethod::Make(const v1::PruneStage& stage, const std::string& field,
                                                std::vector<FieldViolation>& violations) {
  return std::make_unique<WandaMethod>(ReadPruneOptions(stage, field, violations));
}

}  // namespace tersor
