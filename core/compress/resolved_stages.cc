#include "core/compress/resolved_stages.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/append_violations.h"
#include "core/compress/layer_filter.h"
#include "core/compress/method_registry.h"
#include "core/model/fold_group.h"

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

std::vector<double> StageShares(const std::vector<ResolvedStage>& stages) {
  size_t layers = 0;
  for (const ResolvedStage& stage : stages) layers += stage.layers.size();
  std::vector<double> shares;
  for (const ResolvedStage& stage : stages) {
    shares.push_back(layers > 0 ? static_cast<double>(stage.layers.size()) / static_cast<double>(layers)
                                : 1.0 / static_cast<double>(stages.size()));
  }
  return shares;
}

std::map<std::string, uint64_t> ScaledParameters(const Model& model, const std::vector<ResolvedStage>& stages) {
  std::map<std::string, uint64_t> scaled;
  std::set<std::string> changed;
  for (const ResolvedStage& stage : stages) {
    std::set<std::string> own;
    for (const LinearLayer& layer : stage.layers) own.insert(layer.name);
    for (const std::string& layer : own) changed.insert(layer + ".weight");
    if (stage.method->preparation_statistics().empty()) continue;
    for (int block = 0; block < static_cast<int>(model.spec.layers.size()); ++block) {
      for (const FoldGroup& group : FoldGroupsOf(model, block)) {
        const bool whole = std::all_of(group.readers.begin(), group.readers.end(),
                                       [&](const std::string& reader) { return own.contains(reader); });
        if (!whole || !(group.is_norm || stage.method->scales_linears())) continue;
        for (const std::string& name : {group.maker, group.maker_bias}) {
          if (!name.empty()) scaled[name] = sizeof(float) * model.parameters.find(name)->second->elements();
        }
      }
    }
  }
  std::erase_if(scaled, [&](const auto& entry) { return changed.contains(entry.first); });
  return scaled;
}

}  // namespace tersor
