#include "core/pipeline/advice.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/warning.h"
#include "core/evaluate/gate_syntax.h"
#include "core/formats/json_fields.h"
#include "core/recipe/stage_method.h"

namespace tersor {
namespace {

constexpr const char* kFacts[] = {
    "method",  "weight_bits",          "group_size",          "inputs",   "input_bits", "parameters", "kv_bits",
    "kv_keys", "asks_prefill_speedup", "asks_decode_speedup", "sparsity", "pattern"};

absl::Status CheckKeys(const nlohmann::json& object, const std::set<std::string>& known) {
  if (!object.is_object()) return absl::InvalidArgumentError("is no object");
  for (const auto& [key, value] : object.items()) {
    if (known.count(key) == 0) return absl::InvalidArgumentError(absl::StrCat("unknown key \"", key, "\""));
  }
  return absl::OkStatus();
}

absl::StatusOr<AdviceCondition> ParseCondition(const nlohmann::json& json) {
  TERSOR_RETURN_IF_ERROR(CheckKeys(json, {"fact", "is", "below", "above"}));
  AdviceCondition condition;
  TERSOR_ASSIGN_OR_RETURN(condition.fact, JsonFields(json).StringOr("fact", ""));
  if (std::find(std::begin(kFacts), std::end(kFacts), condition.fact) == std::end(kFacts)) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown fact \"", condition.fact, "\"; known: ", absl::StrJoin(kFacts, ", ")));
  }
  condition.is = json.value("is", nlohmann::json());
  condition.below = json.value("below", nlohmann::json());
  condition.above = json.value("above", nlohmann::json());
  const bool numbers = (condition.below.is_null() || condition.below.is_number()) &&
                       (condition.above.is_null() || condition.above.is_number());
  if (!numbers || json.size() < 2)
    return absl::InvalidArgumentError("a condition wants is, or below or above a number");
  return condition;
}

absl::StatusOr<Advice> ParseEntry(const nlohmann::json& json) {
  TERSOR_RETURN_IF_ERROR(CheckKeys(json, {"id", "when", "text", "sources"}));
  const JsonFields fields(json);
  Advice advice;
  TERSOR_ASSIGN_OR_RETURN(advice.id, fields.StringOr("id", ""));
  TERSOR_ASSIGN_OR_RETURN(advice.text, fields.StringOr("text", ""));
  TERSOR_ASSIGN_OR_RETURN(advice.sources, fields.StringsOrNone("sources"));
  if (advice.id.empty() || advice.text.empty() || advice.sources.empty()) {
    return absl::InvalidArgumentError("id, text or sources are missing");
  }
  const nlohmann::json* when = fields.Find("when");
  if (when == nullptr || !when->is_array() || when->empty()) return absl::InvalidArgumentError("\"when\" is no list");
  for (const nlohmann::json& condition : *when) {
    TERSOR_ASSIGN_OR_RETURN(AdviceCondition parsed, ParseCondition(condition));
    advice.when.push_back(std::move(parsed));
  }
  return advice;
}

bool Holds(const AdviceCondition& condition, const AdviceFacts& facts) {
  const auto fact = facts.find(condition.fact);
  if (fact == facts.end()) return false;
  const nlohmann::json& value = fact->second;
  if (!condition.is.is_null() && value != condition.is) return false;
  const bool compares = !condition.below.is_null() || !condition.above.is_null();
  if (compares && !value.is_number()) return false;
  if (!condition.below.is_null() && value.get<double>() >= condition.below.get<double>()) return false;
  return condition.above.is_null() || value.get<double>() > condition.above.get<double>();
}

void AddLayerFacts(const Model& model, const PlannedEncodings& encodings, AdviceFacts& facts) {
  int bits = 0, input_bits = 0;
  int64_t group = 0;
  bool integers = false;
  double sparsity = 0;
  for (const auto& [name, encoding] : encodings) {
    const auto tensor = model.parameters.find(name);
    if (tensor == model.parameters.end() || !absl::StrContains(name, ".layers.")) continue;
    if (encoding.bits > 0) {
      bits = bits == 0 ? encoding.bits : std::min(bits, encoding.bits);
      group = std::max(group, encoding.group_size > 0 ? encoding.group_size : tensor->second->columns());
    }
    if (encoding.kept > 0) {
      sparsity =
          std::max(sparsity, 1 - static_cast<double>(encoding.kept) / static_cast<double>(tensor->second->elements()));
    }
    if (!absl::StartsWith(encoding.input_format, "int-")) continue;
    integers = true;
    const nlohmann::json parameters = nlohmann::json::parse(encoding.input_parameters, nullptr, false);
    const int own = parameters.is_object() ? parameters.value("bits", 8) : 8;
    input_bits = input_bits == 0 ? own : std::min(input_bits, own);
  }
  if (bits > 0) facts["weight_bits"] = bits;
  if (sparsity > 0) facts["sparsity"] = sparsity;
  if (group > 0) facts["group_size"] = group;
  facts["inputs"] = integers ? "int" : "float";
  if (input_bits > 0) facts["input_bits"] = input_bits;
}

AdviceFacts FactsOf(const v1::Recipe& recipe, const Model& model, const PlannedEncodings& encodings) {
  AdviceFacts facts;
  AddLayerFacts(model, encodings, facts);
  facts["parameters"] = model.ParameterCount();
  if (recipe.has_kv()) {
    facts["kv_bits"] = recipe.kv().bits();
    facts["kv_keys"] = recipe.kv().keys().empty() ? "token" : recipe.kv().keys();
  }
  for (const v1::Stage& stage : recipe.stages()) {
    if (!stage.prune().pattern().empty()) facts["pattern"] = true;
  }
  for (const std::string& expression : recipe.gates()) {
    const absl::StatusOr<Gate> gate = ParseGate(expression);
    if (!gate.ok() || gate->limit <= 1) continue;
    if (gate->metric == "prefill_speedup") facts["asks_prefill_speedup"] = true;
    if (gate->metric == "decode_speedup") facts["asks_decode_speedup"] = true;
  }
  return facts;
}

}  // namespace

absl::StatusOr<std::vector<Advice>> ParseAdvice(absl::string_view json) {
  const nlohmann::json list = nlohmann::json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return absl::InvalidArgumentError("advice: no list of entries");
  std::vector<Advice> advice;
  for (size_t i = 0; i < list.size(); ++i) {
    absl::StatusOr<Advice> entry = ParseEntry(list[i]);
    if (!entry.ok()) return Annotate(entry.status(), absl::StrCat("advice[", i, "]"));
    advice.push_back(*std::move(entry));
  }
  return advice;
}

std::vector<v1::Warning> AdviceFor(const std::vector<Advice>& advice, const AdviceFacts& facts,
                                   absl::string_view where) {
  std::vector<v1::Warning> warnings;
  for (const Advice& entry : advice) {
    const bool holds = std::all_of(entry.when.begin(), entry.when.end(),
                                   [&](const AdviceCondition& condition) { return Holds(condition, facts); });
    if (!holds) continue;
    warnings.push_back(
        MakeWarning("ADVICE", absl::StrCat(entry.id, ": ", entry.text, " (", absl::StrJoin(entry.sources, "; "), ")"),
                    std::string(where)));
  }
  return warnings;
}

std::vector<v1::Warning> AdviceWarnings(const v1::Recipe& recipe, const Model& model,
                                        const PlannedEncodings& encodings) {
  // The file is checked by a test; what cannot be read gives no advice.
  const absl::StatusOr<std::vector<Advice>> advice = ParseAdvice(AdviceText());
  if (!advice.ok()) return {};
  AdviceFacts facts = FactsOf(recipe, model, encodings);
  std::vector<v1::Warning> warnings;
  std::set<std::string> told;
  const auto add = [&](absl::string_view where) {
    for (v1::Warning& warning : AdviceFor(*advice, facts, where)) {
      if (told.insert(warning.message()).second) warnings.push_back(std::move(warning));
    }
  };
  for (int i = 0; i < recipe.stages_size(); ++i) {
    facts["method"] = std::string(StageMethodName(recipe.stages(i)));
    add(absl::StrCat("stages[", i, "]"));
  }
  if (recipe.stages().empty() && recipe.has_kv()) add("kv");
  return warnings;
}

}  // namespace tersor
