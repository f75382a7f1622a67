// A recipe's stages, checked against a model and turned into methods with their layers.
#ifndef TERSOR_CORE_COMPRESS_RESOLVED_STAGES_H_
#define TERSOR_CORE_COMPRESS_RESOLVED_STAGES_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/head_compression.h"
#include "core/compress/method.h"
#include "core/model/model.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct ResolvedStage {
  // "quantize:gptq".
  std::string name;
  std::unique_ptr<const Method> method;
  std::vector<LinearLayer> layers;
  // Where the stage changes head or embedding.
  std::optional<HeadPlan> head;
};

// One entry for each stage of the recipe; usable only when no violation was appended. A layer that two stages change is
// a violation, and so are two stages that change the head.
std::vector<ResolvedStage> ResolveStages(const Model& model, const v1::Recipe& recipe,
                                         std::vector<FieldViolation>& violations);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_RESOLVED_STAGES_H_
