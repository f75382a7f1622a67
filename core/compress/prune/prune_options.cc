#include "core/compress/prune/prune_options.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/compress/layer_filter.h"
#include "core/compress/quantize/option_checks.h"
#include "core/encoding/masked_tensor.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// Longer runs are no faster than any mask.
constexpr int kLongestPattern = 64;

// "2:4"; a fault is its description.
MaskPattern ReadPattern(const std::string& text, std::string& fault) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  MaskPattern pattern;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &pattern.kept) || !absl::SimpleAtoi(parts[1], &pattern.of)) {
    fault = absl::StrCat("must be N:M, weights kept of so many neighbours, such as 2:4; got \"", text, "\"");
    return {};
  }
  if (pattern.kept >= 1 && pattern.kept < pattern.of && pattern.of <= kLongestPattern) return pattern;
  fault = absl::StrCat("N:M keeps N of every M neighbouring weights: N is 1 to M - 1 and M at most ", kLongestPattern,
                       "; got \"", text, "\"");
  return {};
}

// Written so that NaN is refused.
bool IsShare(double sparsity) { return sparsity > 0 && sparsity < 1; }

std::vector<LayerRule> ReadRules(const v1::PruneStage& stage, const std::string& field,
                                 std::vector<FieldViolation>& violations) {
  std::vector<LayerRule> rules;
  for (int i = 0; i < stage.layers_size(); ++i) {
    const v1::LayerSparsity& given = stage.layers(i);
    const std::string place = absl::StrCat(field, ".layers[", i, "]");
    std::string fault;
    LayerRule rule = {given.layer(), MakeLayerMatcher(given.layer(), fault), given.sparsity()};
    if (rule.matches == nullptr) {
      violations.push_back({place + ".layer", absl::StrCat("not a regular expression: ", fault)});
      continue;
    }
    if (!IsShare(rule.sparsity)) {
      violations.push_back({place + ".sparsity", absl::StrCat("must be above 0 and below 1, got ", rule.sparsity,
                                                              "; `skip` leaves a layer whole")});
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

Allocation ReadAllocation(const v1::PruneStage& stage, const std::string& field,
                          std::vector<FieldViolation>& violations) {
  const OptionChecks checks{field, violations};
  if (!stage.allocation().empty()) checks.OneOf("allocation", stage.allocation(), {"uniform", "owl", "global"});
  const bool owl = stage.allocation() == "owl";
  for (const char* option : {"owl_spread", "owl_outlier"}) {
    const bool given = option[4] == 's' ? stage.has_owl_spread() : stage.has_owl_outlier();
    if (given && !owl) checks.Fault(option, "means something with allocation \"owl\" alone");
  }
  if (owl) return Allocation::kOwl;
  return stage.allocation() == "global" ? Allocation::kGlobal : Allocation::kUniform;
}

}  // namespace

const LayerRule* PruneOptions::RuleOf(const std::string& layer) const {
  const auto found =
      std::find_if(rules.begin(), rules.end(), [&](const LayerRule& rule) { return rule.matches(layer); });
  return found == rules.end() ? nullptr : &*found;
}

PruneOptions PruneOptions::Of(const std::string& layer, const nlohmann::json* decision) const {
  PruneOptions own = *this;
  if (const LayerRule* rule = RuleOf(layer); rule != nullptr) {
    own.sparsity = rule->sparsity;
  } else if (decision != nullptr && decision->is_object()) {
    own.sparsity = decision->at("layers").value(layer, sparsity);
  }
  return own;
}

int64_t PruneOptions::LeftOut(int64_t count) const {
  if (pattern.fixed()) return count / pattern.of * (pattern.of - pattern.kept);
  return static_cast<int64_t>(std::floor(sparsity * static_cast<double>(count)));
}

PruneOptions ReadPruneOptions(const v1::PruneStage& stage, const std::string& field,
                              std::vector<FieldViolation>& violations) {
  PruneOptions options;
  if (stage.has_sparsity()) options.sparsity = stage.sparsity();
  options.allocation = ReadAllocation(stage, field, violations);
  options.rules = ReadRules(stage, field, violations);
  const OptionChecks checks{field, violations};
  if (stage.has_owl_spread()) options.owl_spread = stage.owl_spread();
  if (stage.has_owl_outlier()) options.owl_outlier = stage.owl_outlier();
  checks.InRange("owl_spread", options.owl_spread, 0, 0.5);
  checks.InRange("owl_outlier", options.owl_outlier, 1, 1e6);
  if (!IsShare(options.sparsity)) {
    violations.push_back(
        {field + ".sparsity", absl::StrCat("the share of the weights that are left out is above 0 and "
                                           "below 1, got ",
                                           options.sparsity, options.sparsity == 0 ? "; leave the stage out" : "")});
  }
  if (stage.pattern().empty()) return options;
  std::string fault;
  options.pattern = ReadPattern(stage.pattern(), fault);
  if (!fault.empty()) violations.push_back({field + ".pattern", std::move(fault)});
  if (stage.has_sparsity()) {
    violations.push_back({field + ".sparsity", "follows from `pattern`; leave one of the two out"});
  }
  if (options.allocation != Allocation::kUniform) {
    checks.Fault("allocation", "every layer of a pattern keeps as many; leave `pattern` or `allocation` out");
  }
  if (!options.rules.empty()) {
    checks.Fault("layers", "every layer of a pattern keeps as many; leave `pattern` or `layers` out");
  }
  if (options.pattern.fixed()) {
    options.sparsity = 1 - static_cast<double>(options.pattern.kept) / static_cast<double>(options.pattern.of);
  }
  return options;
}

std::vector<MethodOption> SharedPruneOptions() {
  return {{"sparsity", "number", "0.5", "Share of a layer's weights that are left out, above 0 and below 1"},
          {"pattern", "N:M", "", "Of every M neighbouring inputs of an output N weights are kept; left out: any"},
          {"allocation", "uniform | owl | global", "uniform",
           "How the sparsity is shared out: every layer the same, more kept where more weights are outlying, or one "
           "threshold for all"},
          {"owl_spread", "number", "0.08", "Of owl: how much more or less than the mean a block may keep, 0 to 0.5"},
          {"owl_outlier", "number", "5", "Of owl: outlying is what scores more than so many times the mean"},
          {"layers", "list of layer, sparsity", "", "Layers, named as in `skip`, whose sparsity is given"}};
}

std::vector<FieldViolation> CheckPattern(const PruneOptions& options, const std::vector<LinearLayer>& layers,
                                         const std::string& field) {
  std::vector<FieldViolation> violations;
  for (size_t i = 0; i < options.rules.size(); ++i) {
    const bool known = std::any_of(layers.begin(), layers.end(),
                                   [&](const LinearLayer& layer) { return options.rules[i].matches(layer.name); });
    if (known) continue;
    violations.push_back({absl::StrCat(field, ".layers[", i, "].layer"),
                          absl::StrCat("\"", options.rules[i].layer, "\" names no layer that the stage takes")});
  }
  if (!options.pattern.fixed()) return violations;
  std::vector<std::string> refused;
  for (const LinearLayer& layer : layers) {
    if (layer.inputs % options.pattern.of == 0) continue;
    refused.push_back(absl::StrCat(layer.name, " (", layer.inputs, " inputs)"));
  }
  if (refused.empty()) return {};
  const size_t count = refused.size();
  if (count > 4) refused.resize(4);
  violations.push_back(
      {field + ".pattern",
       absl::StrCat("runs of ", options.pattern.of, " do not divide the inputs of ", count,
                    count == 1 ? " layer: " : " layers: ", absl::StrJoin(refused, ", "),
                    count > refused.size() ? ", ..." : "", "; take another M, `sparsity`, or `skip` them")});
  return violations;
}

PlannedEncoding MaskedEncoding(const PruneOptions& options, const LinearLayer& layer, int64_t kept,
                               int64_t bytes_a_weight) {
  const uint64_t mask = SparseMask::ByteSize(layer.outputs, layer.inputs, options.pattern);
  return {.encoding = std::string(MaskedTensor::kName),
          .bytes = mask + static_cast<uint64_t>(kept * bytes_a_weight),
          .kept = kept,
          .mask_bytes = mask};
}

}  // namespace tersor
