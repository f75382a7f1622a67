#include "core/compress/resolved_stages.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/append_violations.h"
#include "core/compress/layer_filter.h"
#include "core/compress/method_registry.h"

namespace tersor {
namespace {

// Layers whose weights are not plain numbers any more would be rounded twice.
void CheckOwners(const ResolvedStage& stage, int index, std::map<std::string, int>& owners, const std::string& field,
                 std::vector<FieldViolation>& violations) {
  for (const LinearLayer& layer : stage.layers) {
    const auto [entry, added] = owners.emplace(layer.name, index);
    if (added) continue;
    violations.push_back({field + ".skip", absl::StrCat(layer.name, " is already changed by stages[", entry->second,
                                                        "]; skip it in one of the two")});
    return;
  }
}

}  // namespace

std::vector<ResolvedStage> ResolveStages(const Model& model, const v1::Recipe& recipe,
                                         std::vector<FieldViolation>& violations) {
  const std::vector<LinearLayer> layers = LinearLayersOf(model);
  std::vector<ResolvedStage> stages;
  std::map<std::string, int> owners;
  int head_owner = -1;
  for (int i = 0; i < recipe.stages_size(); ++i) {
    ResolvedStage& stage = stages.emplace_back();
    stage.name = StageName(recipe.stages(i));
    const std::string field = absl::StrCat("stages[", i, "].quantize");
    if (!recipe.stages(i).has_quantize()) {
      violations.push_back({absl::StrCat("stages[", i, "]"), "the stage is empty; known: quantize"});
      continue;
    }
    const v1::QuantizeStage& quantize = recipe.stages(i).quantize();
    stage.method = MakeMethod(quantize, field, violations);
    stage.layers = WithoutSkipped(layers, quantize.skip(), field + ".skip", violations);
    stage.head = PlanHead(model, quantize.head(), field + ".head", violations);
    if (stage.method != nullptr) {
      AppendNewFields(stage.method->CheckLayers(stage.layers, absl::StrCat(field, ".", stage.method->name())),
                      violations);
    }
    CheckOwners(stage, i, owners, field, violations);
    if (!stage.head.has_value()) continue;
    if (head_owner >= 0) {
      violations.push_back({field + ".head", absl::StrCat("stages[", head_owner, "] already changes the head")});
    }
    head_owner = i;
  }
  return stages;
}

}  // namespace tersor
