#include "core/formats/compressed_tensors_scheme.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/formats/json_fields.h"

namespace tersor {
namespace {

constexpr std::array kStrategies = {"tensor", "channel", "group", "block", "tensor_group"};

absl::Status ReadBlock(const JsonFields& weights, WeightScheme& scheme) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> block, weights.IntegersOrNone("block_structure", 1, INT32_MAX));
  if (block.size() != 2) return absl::InvalidArgumentError("\"block_structure\" is no pair of numbers");
  scheme.block_rows = block[0];
  scheme.block_columns = block[1];
  return absl::OkStatus();
}

absl::StatusOr<WeightScheme> ReadWeights(const nlohmann::json& json) {
  const JsonFields weights(json);
  WeightScheme scheme;
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, weights.IntegerOr("num_bits", 1, 16, 8));
  scheme.bits = static_cast<int>(bits);
  TERSOR_ASSIGN_OR_RETURN(const std::string type, weights.StringOr("type", "int"));
  if (type != "int" && type != "float") return absl::InvalidArgumentError(absl::StrCat("\"type\" is \"", type, "\""));
  scheme.is_float = type == "float";
  TERSOR_ASSIGN_OR_RETURN(scheme.symmetric, weights.BoolOr("symmetric", true));
  TERSOR_ASSIGN_OR_RETURN(scheme.group_size, weights.IntegerOr("group_size", -1, INT32_MAX, 0));
  TERSOR_ASSIGN_OR_RETURN(scheme.strategy, weights.StringOr("strategy", ""));
  if (scheme.strategy.empty()) {
    scheme.strategy = scheme.group_size > 0 ? "group" : scheme.group_size == -1 ? "channel" : "tensor";
  }
  if (std::find(kStrategies.begin(), kStrategies.end(), scheme.strategy) == kStrategies.end()) {
    return absl::UnimplementedError(absl::StrCat("weights by strategy \"", scheme.strategy,
                                                 "\" are not read; supported: ", absl::StrJoin(kStrategies, ", ")));
  }
  if ((scheme.strategy == "group" || scheme.strategy == "tensor_group") && scheme.group_size < 1) {
    return absl::InvalidArgumentError(absl::StrCat("strategy \"", scheme.strategy, "\" without a \"group_size\""));
  }
  if (scheme.strategy == "block") TERSOR_RETURN_IF_ERROR(ReadBlock(weights, scheme));
  return scheme;
}

absl::StatusOr<std::string> DescribeInputs(const nlohmann::json& json) {
  const JsonFields inputs(json);
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, inputs.IntegerOr("num_bits", 1, 16, 8));
  TERSOR_ASSIGN_OR_RETURN(const std::string type, inputs.StringOr("type", "int"));
  TERSOR_ASSIGN_OR_RETURN(const std::string strategy, inputs.StringOr("strategy", "tensor"));
  const nlohmann::json* dynamic = inputs.Find("dynamic");
  const bool at_run_time = dynamic != nullptr && dynamic->is_boolean() && dynamic->get<bool>();
  return absl::StrCat(bits, "-bit ", type, " per ", strategy, at_run_time ? ", dynamic" : ", static");
}

absl::Status ReadGroup(const nlohmann::json& json, CompressedTensorsScheme& scheme) {
  if (!json.is_object()) return absl::InvalidArgumentError("is not an object");
  const JsonFields group(json);
  TERSOR_ASSIGN_OR_RETURN(const std::vector<std::string> targets, group.StringsOrNone("targets"));
  if (targets.empty()) return absl::InvalidArgumentError("has no \"targets\"");
  const nlohmann::json* weights = group.Find("weights");
  if (weights == nullptr) {
    scheme.notes.push_back(absl::StrCat("what goes through ", absl::StrJoin(targets, ", "),
                                        " is quantized at run time, and no weights are"));
    return absl::OkStatus();
  }
  if (!weights->is_object()) return absl::InvalidArgumentError("\"weights\" is not an object");
  absl::StatusOr<WeightScheme> read = ReadWeights(*weights);
  if (!read.ok()) return Annotate(read.status(), "weights");
  TERSOR_ASSIGN_OR_RETURN(read->format, group.StringOr("format", scheme.format));
  if (const nlohmann::json* inputs = group.Find("input_activations"); inputs != nullptr) {
    if (!inputs->is_object()) return absl::InvalidArgumentError("\"input_activations\" is not an object");
    TERSOR_ASSIGN_OR_RETURN(read->inputs, DescribeInputs(*inputs));
    read->input_activations = *inputs;
  }
  if (group.Has("output_activations")) {
    scheme.notes.emplace_back("the outputs of linear layers are quantized at run time");
  }
  for (const std::string& text : targets) {
    SchemeTarget target = {text, std::nullopt, *read};
    if (absl::string_view pattern = text; absl::ConsumePrefix(&pattern, "re:")) {
      absl::StatusOr<PythonRegex> expression = PythonRegex::Compile(pattern);
      if (!expression.ok()) return Annotate(expression.status(), absl::StrCat("target \"", text, "\""));
      target.expression = *std::move(expression);
    }
    scheme.targets.push_back(std::move(target));
  }
  return absl::OkStatus();
}

// Whether PyTorch's class of the module, or one that it derives from, has this name. Modules with weights of two
// dimensions are Linear but for the embedding.
bool IsClassOf(absl::string_view name, absl::string_view module) {
  const bool embedding =
      absl::EndsWith(module, "embed_tokens") || absl::EndsWith(module, "wte") || absl::EndsWith(module, "embed_in");
  return name == "Module" || name == (embedding ? "Embedding" : "Linear");
}

// Parts of a configuration that change what the weights mean.
absl::Status RefuseOtherParts(const JsonFields& fields) {
  if (const nlohmann::json* transforms = fields.Find("transform_config"); transforms && !transforms->empty()) {
    return absl::UnimplementedError("\"transform_config\" (rotated weights) is not read");
  }
  const nlohmann::json* sparsity = fields.Find("sparsity_config");
  if (sparsity == nullptr || !sparsity->is_object() || sparsity->empty()) return absl::OkStatus();
  TERSOR_ASSIGN_OR_RETURN(const std::string format, JsonFields(*sparsity).StringOr("format", "dense"));
  if (format == "dense") return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("\"sparsity_config\" of format \"", format, "\" is not read"));
}

}  // namespace

absl::StatusOr<CompressedTensorsScheme> ParseCompressedTensorsScheme(const nlohmann::json& config) {
  const JsonFields fields(config);
  CompressedTensorsScheme scheme;
  TERSOR_RETURN_IF_ERROR(RefuseOtherParts(fields));
  TERSOR_ASSIGN_OR_RETURN(scheme.format, fields.StringOr("format", "dense"));
  TERSOR_ASSIGN_OR_RETURN(scheme.ignore, fields.StringsOrNone("ignore"));
  if (const nlohmann::json* kv = fields.Find("kv_cache_scheme"); kv && kv->is_object() && !kv->empty()) {
    scheme.notes.emplace_back("the key-value cache is quantized at run time (\"kv_cache_scheme\")");
  }
  const nlohmann::json* groups = fields.Find("config_groups");
  const bool for_cache = fields.Has("kv_cache_scheme");
  if (groups == nullptr && for_cache) return scheme;
  if (groups == nullptr || !groups->is_object()) return absl::InvalidArgumentError("\"config_groups\" is missing");
  for (const auto& [name, group] : groups->items()) {
    absl::Status status = ReadGroup(group, scheme);
    if (!status.ok()) return Annotate(status, absl::StrCat("config group \"", name, "\""));
  }
  return scheme;
}

absl::StatusOr<std::vector<WeightScheme>> SchemesOf(const CompressedTensorsScheme& scheme, absl::string_view module) {
  std::vector<WeightScheme> by_name, by_pattern, by_class;
  for (const SchemeTarget& target : scheme.targets) {
    if (target.text == module) by_name.push_back(target.weights);
    if (IsClassOf(target.text, module)) by_class.push_back(target.weights);
    if (!target.expression) continue;
    absl::StatusOr<bool> matches = target.expression->MatchesStart(module);
    if (!matches.ok()) return Annotate(matches.status(), absl::StrCat("target \"", target.text, "\""));
    if (*matches) by_pattern.push_back(target.weights);
  }
  by_name.insert(by_name.end(), by_pattern.begin(), by_pattern.end());
  by_name.insert(by_name.end(), by_class.begin(), by_class.end());
  if (by_name.empty()) return absl::InvalidArgumentError("no config group names it");
  return by_name;
}

}  // namespace tersor
