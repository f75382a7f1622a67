#include "core/compress/resolved_stages.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/append_violations.h"
#include "core/compress/layer_filter.h"
#include "core/compress/method_registry.h"
#include "core/encoding/sparse_mask.h"
#include "core/model/fold_group.h"
#include "core/recipe/stage_method.h"

namespace tersor {
namespace {

// What a layer has gone through.
struct Earlier {
  int stage = 0;
  std::string name;
  const Method* method = nullptr;
};
using History = std::map<std::string, Earlier>;

constexpr char kRemedy[] = "take a method that can (rtn, gptq)";

// Why `stage` cannot follow; empty where it can.
std::string Obstacle(const ResolvedStage& stage, const Earlier& earlier) {
  if (const std::string last = earlier.method->WhyLast(); !last.empty()) {
    return absl::StrCat(" is already changed by stages[", earlier.stage, "]; skip it in one of the two",
                        stage.family == "prune" ? absl::StrCat(", or prune first: ", last) : "");
  }
  const std::string reason = stage.method->WhyNotPruned();
  if (reason.empty()) return "";
  return absl::StrCat(" is pruned by stages[", earlier.stage, "] (", earlier.name, "), and ", stage.method->name(),
                      " cannot follow: ", reason, "; skip it in one of the two, or ", kRemedy);
}

// Why `stage` cannot take the layer as the model has it; empty where it can.
std::string ObstacleInModel(const ResolvedStage& stage, const Model& model, const LinearLayer& layer) {
  const auto found = model.parameters.find(layer.name + ".weight");
  if (found == model.parameters.end() || found->second->mask() == nullptr) return "";
  const std::string reason = stage.method->WhyNotPruned();
  if (reason.empty()) return "";
  return absl::StrCat(" is already pruned in the model, and ", stage.method->name(), " cannot follow: ", reason,
                      "; skip it, or ", kRemedy);
}

// The first layer that the stage cannot take is told.
void CheckHistory(const Model& model, const ResolvedStage& stage, int index, History& history, const std::string& field,
                  std::vector<FieldViolation>& violations) {
  bool told = false;
  for (const LinearLayer& layer : stage.layers) {
    const auto [entry, added] = history.emplace(layer.name, Earlier{index, stage.name, stage.method.get()});
    const std::string obstacle = added ? ObstacleInModel(stage, model, layer) : Obstacle(stage, entry->second);
    if (!obstacle.empty() && !told) violations.push_back({field + ".skip", absl::StrCat(layer.name, obstacle)});
    told = told || !obstacle.empty();
    if (obstacle.empty()) entry->second = {index, stage.name, stage.method.get()};
  }
}

// The weight as the model has it.
PlannedEncoding StoredEncoding(const Model& model, const LinearLayer& layer) {
  PlannedEncoding stored;
  const auto found = model.parameters.find(layer.name + ".weight");
  if (found == model.parameters.end()) return stored;
  stored.encoding = std::string(found->second->encoding());
  stored.bytes = found->second->byte_size();
  if (const SparseMask* mask = found->second->mask(); mask != nullptr) {
    stored.kept = mask->count();
    stored.mask_bytes = mask->byte_size();
  }
  return stored;
}

}  // namespace

std::vector<ResolvedStage> ResolveStages(const Model& model, const v1::Recipe& recipe,
                                         std::vector<FieldViolation>& violations) {
  const std::vector<LinearLayer> layers = LinearLayersOf(model);
  std::vector<ResolvedStage> stages;
  History history;
  int head_owner = -1;
  for (int i = 0; i < recipe.stages_size(); ++i) {
    const v1::Stage& given = recipe.stages(i);
    ResolvedStage& stage = stages.emplace_back();
    stage.name = StageName(given);
    stage.family = std::string(StageFamily(given));
    const std::string place = absl::StrCat("stages[", i, "]"), field = absl::StrCat(place, ".", stage.family);
    stage.method = MakeMethod(given, place, violations);
    if (stage.family.empty()) continue;
    stage.layers = WithoutSkipped(layers, SkippedLayers(given), field + ".skip", violations);
    stage.head = PlanHead(model, given.quantize().head(), field + ".head", violations);
    if (stage.method != nullptr) {
      AppendNewFields(stage.method->CheckLayers(stage.layers, absl::StrCat(field, ".", stage.method->name())),
                      violations);
      CheckHistory(model, stage, i, history, field, violations);
    }
    if (!stage.head.has_value()) continue;
    if (head_owner >= 0) {
      violations.push_back({field + ".head", absl::StrCat("stages[", head_owner, "] already changes the head")});
    }
    head_owner = i;
  }
  return stages;
}

std::map<std::string, PlannedEncoding> LayerEncodings(const Model& model, const std::vector<ResolvedStage>& stages) {
  std::map<std::string, PlannedEncoding> encodings;
  for (const ResolvedStage& stage : stages) {
    for (const LinearLayer& layer : stage.layers) {
      const auto [entry, added] = encodings.emplace(layer.name, PlannedEncoding{});
      if (added) entry->second = StoredEncoding(model, layer);
      entry->second = stage.method->EncodingAfter(layer, entry->second);
    }
  }
  return encodings;
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
