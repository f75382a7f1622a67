#include "core/recipe/sweep.h"

#include <algorithm>
#include <functional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/sha256.h"
#include "core/recipe/stage_method.h"
#include "google/protobuf/descriptor.h"

namespace tersor {
namespace {

// One value of an axis. `apply` is false where the recipe has nothing that it could change.
struct Setting {
  std::string value;
  std::function<bool(v1::Recipe&)> apply;
};

struct Axis {
  std::string name;
  std::vector<Setting> settings;
};

v1::QuantizeStage* QuantizeStageOf(v1::Recipe& recipe) {
  for (v1::Stage& stage : *recipe.mutable_stages()) {
    if (stage.has_quantize()) return stage.mutable_quantize();
  }
  return nullptr;
}

// The recipe's first stage of a family; null where it has none.
v1::PruneStage* PruneStageOf(v1::Recipe& recipe) {
  for (v1::Stage& stage : *recipe.mutable_stages()) {
    if (stage.has_prune()) return stage.mutable_prune();
  }
  return nullptr;
}

bool SetMethodOption(v1::Recipe& recipe, const std::string& option, int32_t value) {
  v1::QuantizeStage* stage = QuantizeStageOf(recipe);
  google::protobuf::Message* options = stage == nullptr ? nullptr : MutableMethodOptions(*stage);
  if (options == nullptr) return false;
  const google::protobuf::FieldDescriptor* field = options->GetDescriptor()->FindFieldByName(option);
  if (field == nullptr || field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_INT32) return false;
  options->GetReflection()->SetInt32(options, field, value);
  return true;
}

bool SetMethod(v1::Recipe& recipe, const v1::QuantizeStage& method) {
  v1::QuantizeStage* stage = QuantizeStageOf(recipe);
  if (stage == nullptr) stage = recipe.add_stages()->mutable_quantize();
  stage->clear_method();
  if (method.skip_size() > 0) stage->clear_skip();
  if (method.has_head()) stage->clear_head();
  stage->MergeFrom(method);
  return true;
}

// Pruning comes before what rounds the weights.
bool SetPruning(v1::Recipe& recipe, const v1::PruneStage& method) {
  v1::PruneStage* stage = PruneStageOf(recipe);
  if (stage == nullptr) {
    stage = recipe.add_stages()->mutable_prune();
    std::rotate(recipe.mutable_stages()->pointer_begin(), recipe.mutable_stages()->pointer_end() - 1,
                recipe.mutable_stages()->pointer_end());
  }
  stage->clear_method();
  if (method.skip_size() > 0) stage->clear_skip();
  if (method.has_sparsity()) stage->clear_pattern();
  if (!method.pattern().empty()) stage->clear_sparsity();
  stage->MergeFrom(method);
  return true;
}

bool SetSparsity(v1::Recipe& recipe, double sparsity) {
  v1::PruneStage* stage = PruneStageOf(recipe);
  if (stage == nullptr || !stage->pattern().empty()) return false;
  stage->set_sparsity(sparsity);
  return true;
}

// "gptq", or with the options that the sweep gives it: "gptq(damping: 0.1)".
std::string MethodText(const google::protobuf::Message& method) {
  const google::protobuf::Message* options = MethodOptions(method);
  if (options == nullptr) return "none";
  const std::string text = options->ShortDebugString();
  return text.empty() ? std::string(StageMethodName(method)) : absl::StrCat(StageMethodName(method), "(", text, ")");
}

Axis MethodAxis(const v1::Sweep& sweep) {
  Axis axis{"method", {}};
  for (const v1::QuantizeStage& method : sweep.methods()) {
    axis.settings.push_back({MethodText(method), [method](v1::Recipe& recipe) { return SetMethod(recipe, method); }});
  }
  return axis;
}

Axis PruneAxis(const v1::Sweep& sweep) {
  Axis axis{"prune_method", {}};
  for (const v1::PruneStage& method : sweep.prune_methods()) {
    const std::string text = absl::StrCat(MethodText(method), method.pattern().empty() ? "" : " ", method.pattern());
    axis.settings.push_back({text, [method](v1::Recipe& recipe) { return SetPruning(recipe, method); }});
  }
  return axis;
}

Axis SparsityAxis(const v1::Sweep& sweep) {
  Axis axis{"sparsity", {}};
  for (const double sparsity : sweep.sparsities()) {
    axis.settings.push_back(
        {absl::StrCat(sparsity), [sparsity](v1::Recipe& recipe) { return SetSparsity(recipe, sparsity); }});
  }
  return axis;
}

Axis OptionAxis(const std::string& option, const google::protobuf::RepeatedField<int32_t>& values) {
  Axis axis{option, {}};
  for (const int32_t value : values) {
    axis.settings.push_back(
        {absl::StrCat(value), [option, value](v1::Recipe& recipe) { return SetMethodOption(recipe, option, value); }});
  }
  return axis;
}

Axis CalibrationAxis(const v1::Sweep& sweep) {
  Axis axis{"calibration", {}};
  for (const v1::Calibration& calibration : sweep.calibration()) {
    axis.settings.push_back(
        {calibration.dataset().empty() || calibration.ByteSizeLong() > calibration.dataset().size() + 2
             ? calibration.ShortDebugString()
             : calibration.dataset(),
         [calibration](v1::Recipe& recipe) {
           recipe.mutable_calibration()->MergeFrom(calibration);
           return true;
         }});
  }
  return axis;
}

std::vector<Axis> MakeAxes(const v1::Sweep& sweep) {
  Axis models{"model", {}};
  for (const std::string& model : sweep.models()) {
    models.settings.push_back({model, [model](v1::Recipe& recipe) {
                                 recipe.set_model(model);
                                 return true;
                               }});
  }
  Axis seeds{"seed", {}};
  for (const int32_t seed : sweep.seeds()) {
    seeds.settings.push_back({absl::StrCat(seed), [seed](v1::Recipe& recipe) {
                                recipe.mutable_calibration()->set_seed(seed);
                                return true;
                              }});
  }
  std::vector<Axis> axes = {models,
                            PruneAxis(sweep),
                            SparsityAxis(sweep),
                            MethodAxis(sweep),
                            OptionAxis("bits", sweep.bits()),
                            OptionAxis("group_size", sweep.group_sizes()),
                            CalibrationAxis(sweep),
                            seeds};
  axes.erase(std::remove_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.settings.empty(); }),
             axes.end());
  return axes;
}

void CheckAxes(const v1::Recipe& recipe, const std::vector<Axis>& axes, std::vector<FieldViolation>& violations) {
  const v1::Sweep& sweep = recipe.sweep();
  if (axes.empty()) {
    violations.push_back(
        {"sweep",
         "name at least one of models, methods, bits, group_sizes, prune_methods, sparsities, calibration, seeds"});
  }
  const auto stages = std::count_if(recipe.stages().begin(), recipe.stages().end(),
                                    [](const v1::Stage& stage) { return stage.has_quantize(); });
  const bool varies_stage = sweep.methods_size() + sweep.bits_size() + sweep.group_sizes_size() > 0;
  if (varies_stage && stages > 1) {
    violations.push_back({"sweep", "the recipe has several quantize stages: it is not clear which one is to vary"});
  }
  const auto prunes = std::count_if(recipe.stages().begin(), recipe.stages().end(),
                                    [](const v1::Stage& stage) { return stage.has_prune(); });
  if (sweep.prune_methods_size() + sweep.sparsities_size() > 0 && prunes > 1) {
    violations.push_back({"sweep", "the recipe has several prune stages: it is not clear which one is to vary"});
  }
  if (sweep.sparsities_size() > 0 && sweep.prune_methods().empty() && prunes == 0) {
    violations.push_back({"sweep.sparsities", "needs sweep.prune_methods or a prune stage"});
  }
  if (sweep.methods().empty() && stages == 0) {
    if (sweep.bits_size() > 0) violations.push_back({"sweep.bits", "needs sweep.methods or a quantize stage"});
    if (sweep.group_sizes_size() > 0) {
      violations.push_back({"sweep.group_sizes", "needs sweep.methods or a quantize stage"});
    }
  }
  for (int i = 0; i < sweep.methods_size(); ++i) {
    if (!StageMethodName(sweep.methods(i)).empty()) continue;
    violations.push_back({absl::StrCat("sweep.methods[", i, "]"), "name a method"});
  }
  for (int i = 0; i < sweep.prune_methods_size(); ++i) {
    if (!StageMethodName(sweep.prune_methods(i)).empty()) continue;
    violations.push_back({absl::StrCat("sweep.prune_methods[", i, "]"), "name a method"});
  }
}

// The setting of each axis that point `index` of the product of all axes has.
std::vector<const Setting*> ChosenSettings(const std::vector<Axis>& axes, int64_t index) {
  std::vector<const Setting*> chosen(axes.size());
  for (size_t i = axes.size(); i-- > 0;) {
    const auto count = static_cast<int64_t>(axes[i].settings.size());
    chosen[i] = &axes[i].settings[index % count];
    index /= count;
  }
  return chosen;
}

// Points, or the bytes of their recipes, would be too many. The product stops growing before it could overflow.
int64_t CountPoints(const v1::Recipe& base, const std::vector<Axis>& axes, std::vector<FieldViolation>& violations) {
  int64_t count = 1;
  for (const Axis& axis : axes) count = std::min<int64_t>(count * static_cast<int64_t>(axis.settings.size()), 1 << 20);
  if (count > kMaxSweepPoints) {
    violations.push_back({"sweep", absl::StrCat("has ", count, " points or more; at most ", kMaxSweepPoints)});
  } else if (const auto bytes = static_cast<int64_t>(base.ByteSizeLong()); bytes > kMaxSweepBytes / count) {
    violations.push_back(
        {"sweep", absl::StrCat("its ", count, " points have a recipe of ", bytes, " bytes each; at most ",
                               kMaxSweepBytes, " bytes together: shorten the description or name fewer points")});
  }
  return count;
}

}  // namespace

struct SweepBase {
  v1::Recipe recipe;
  std::vector<Axis> axes;
};

const std::vector<std::string>& SweepAxes() {
  static const auto* const kAxes = new std::vector<std::string>{"model", "prune_method", "sparsity",    "method",
                                                                "bits",  "group_size",   "calibration", "seed"};
  return *kAxes;
}

std::string SweepLabel(absl::string_view axis) { return absl::StrCat("sweep.", axis); }

v1::Recipe SweepPoint::recipe() const {
  v1::Recipe recipe = base->recipe;
  for (const Setting* setting : ChosenSettings(base->axes, index)) setting->apply(recipe);
  return recipe;
}

std::string SweepPoint::Name() const { return absl::StrJoin(settings, " ", absl::PairFormatter("=")); }

std::vector<SweepPoint> ExpandSweep(const v1::Recipe& recipe, std::vector<FieldViolation>& violations) {
  auto base = std::make_shared<SweepBase>(SweepBase{recipe, MakeAxes(recipe.sweep())});
  base->recipe.clear_sweep();
  const size_t before = violations.size();
  CheckAxes(recipe, base->axes, violations);
  const int64_t count = CountPoints(base->recipe, base->axes, violations);
  if (violations.size() > before) return {};
  std::vector<SweepPoint> points;
  std::set<std::string> seen;
  for (int64_t i = 0; i < count; ++i) {
    SweepPoint point{{}, base, i};
    v1::Recipe own = base->recipe;
    const std::vector<const Setting*> chosen = ChosenSettings(base->axes, i);
    for (size_t axis = 0; axis < chosen.size(); ++axis) {
      if (chosen[axis]->apply(own)) point.settings.emplace_back(base->axes[axis].name, chosen[axis]->value);
    }
    if (seen.insert(Sha256Hex(own.SerializeAsString())).second) points.push_back(std::move(point));
  }
  return points;
}

void AddPointViolations(const SweepPoint& point, const std::vector<FieldViolation>& faults,
                        std::vector<FieldViolation>& violations) {
  for (const FieldViolation& fault : faults) {
    const bool known = std::any_of(violations.begin(), violations.end(), [&](const FieldViolation& violation) {
      return absl::EndsWith(violation.description, absl::StrCat(": ", fault.description)) &&
             violation.description.find(fault.field) != std::string::npos;
    });
    if (known) continue;
    violations.push_back({"sweep", absl::StrCat(point.Name(), ": ", fault.field, ": ", fault.description)});
  }
}

}  // namespace tersor
