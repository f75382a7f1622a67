#include "core/exports/compressed_tensors_config.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tersor {
namespace {

constexpr absl::string_view kFormat = "compressed-tensors";
constexpr absl::string_view kLinearClass = "Linear";

absl::Status Fault(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("quantization_config: ", what));
}

nlohmann::json WeightsJson(const PackedScheme& scheme) {
  const bool channel = scheme.group_size == 0;
  return {{"num_bits", scheme.bits},
          {"type", "int"},
          {"symmetric", scheme.symmetric},
          {"strategy", channel ? "channel" : "group"},
          {"group_size", channel ? nlohmann::json(nullptr) : nlohmann::json(scheme.group_size)},
          {"dynamic", false},
          {"actorder", nullptr},
          {"block_structure", nullptr},
          {"observer", "minmax"},
          {"observer_kwargs", nlohmann::json::object()}};
}

absl::StatusOr<PackedScheme> ParseWeights(const nlohmann::json& weights) {
  if (!weights.is_object()) return Fault("a group has no weights");
  PackedScheme scheme;
  const auto bits = weights.find("num_bits");
  const auto symmetric = weights.find("symmetric");
  const auto strategy = weights.find("strategy");
  if (bits == weights.end() || (*bits != 4 && *bits != 8)) return Fault("num_bits is neither 4 nor 8");
  if (symmetric == weights.end() || !symmetric->is_boolean()) return Fault("symmetric is missing");
  if (weights.value("type", nlohmann::json()) != "int") return Fault("type is not int");
  scheme.bits = bits->get<int>();
  scheme.symmetric = symmetric->get<bool>();
  if (strategy != weights.end() && *strategy == "channel") return scheme;
  const auto group_size = weights.find("group_size");
  if (strategy == weights.end() || *strategy != "group" || group_size == weights.end() ||
      !group_size->is_number_integer() || group_size->get<int64_t>() < 1) {
    return Fault("neither strategy channel nor strategy group with a group size");
  }
  scheme.group_size = group_size->get<int64_t>();
  return scheme;
}

// One scale a row in every packed layer is the strategy "channel"; else a group size stands for itself.
void ResolveChannels(const ExportSubject& subject, CompressedTensorsPlan& plan) {
  bool channels = true;
  for (const ExportTensor& tensor : subject.tensors) {
    if (plan.packed.count(tensor.module()) > 0) channels &= tensor.form.group_size == tensor.parameter.shape[1];
  }
  if (!channels) return;
  for (auto& [module, scheme] : plan.packed) scheme.group_size = 0;
}

}  // namespace

absl::StatusOr<CompressedTensorsPlan> PlanCompressedTensors(const ExportSubject& subject) {
  CompressedTensorsPlan plan;
  std::vector<std::string> wrong_bits;
  for (const ExportTensor& tensor : subject.tensors) {
    if (!tensor.is_matrix() || tensor.parameter.name == kEmbeddingName) continue;
    if (tensor.form.encoding != "group-int") {
      plan.ignore.push_back(tensor.module());
    } else if (tensor.form.bits != 4 && tensor.form.bits != 8) {
      wrong_bits.push_back(absl::StrCat(tensor.module(), " (", FormText(tensor.form), ")"));
    } else {
      plan.packed[tensor.module()] = {tensor.form.bits, tensor.form.group_size, tensor.form.symmetric};
    }
  }
  if (!wrong_bits.empty()) {
    return CannotHold(
        kFormat, "holds 4 and 8 bits only", wrong_bits,
        "Quantize to 4 or 8 bits, or export to gguf:q4_0 or gguf:q4_1, which hold fewer bits exactly, or to "
        "safetensors; Tersor's own container holds all");
  }
  if (plan.packed.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "export ", kFormat,
        ": no linear layer is quantized to integers. Add a quantize stage with 4 or 8 bits, or export to safetensors"));
  }
  if (subject.spec.tied) plan.ignore.emplace_back(absl::StripSuffix(kHeadName, ".weight"));
  ResolveChannels(subject, plan);
  return plan;
}

nlohmann::json CompressedTensorsConfig(const CompressedTensorsPlan& plan) {
  std::map<PackedScheme, std::vector<std::string>> by_scheme;
  for (const auto& [module, scheme] : plan.packed) by_scheme[scheme].push_back(module);
  nlohmann::json groups = nlohmann::json::object();
  for (const auto& [scheme, modules] : by_scheme) {
    // With a single scheme the class name and the list of exceptions say it all, which every loader reads.
    const nlohmann::json targets =
        by_scheme.size() == 1 ? nlohmann::json::array({std::string(kLinearClass)}) : nlohmann::json(modules);
    groups[absl::StrCat("group_", groups.size())] = {{"targets", targets},
                                                     {"input_activations", nullptr},
                                                     {"output_activations", nullptr},
                                                     {"weights", WeightsJson(scheme)}};
  }
  return {{"quant_method", "compressed-tensors"}, {"format", "pack-quantized"}, {"quantization_status", "compressed"},
          {"global_compression_ratio", nullptr},  {"kv_cache_scheme", nullptr}, {"ignore", plan.ignore},
          {"config_groups", std::move(groups)}};
}

absl::StatusOr<std::map<std::string, PackedScheme, std::less<>>> ParseCompressedTensorsConfig(
    const nlohmann::json& config, const std::vector<std::string>& modules) {
  if (!config.is_object() || config.value("format", nlohmann::json()) != "pack-quantized") {
    return Fault("format is not pack-quantized");
  }
  const auto groups = config.find("config_groups");
  if (groups == config.end() || !groups->is_object()) return Fault("has no config_groups");
  std::map<std::string, PackedScheme, std::less<>> by_target;
  for (const auto& [name, group] : groups->items()) {
    if (!group.is_object() || !group.contains("targets") || !group["targets"].is_array()) {
      return Fault(absl::StrCat(name, " has no targets"));
    }
    TERSOR_ASSIGN_OR_RETURN(const PackedScheme scheme, ParseWeights(group.value("weights", nlohmann::json())));
    for (const nlohmann::json& target : group["targets"]) {
      if (!target.is_string()) return Fault(absl::StrCat(name, " has a target that is not a string"));
      by_target[target.get<std::string>()] = scheme;
    }
  }
  std::map<std::string, PackedScheme, std::less<>> schemes;
  for (const std::string& module : modules) {
    auto found = by_target.find(module);
    if (found == by_target.end()) found = by_target.find(kLinearClass);
    if (found == by_target.end()) return Fault(absl::StrCat("no group names ", module));
    schemes[module] = found->second;
  }
  return schemes;
}

}  // namespace tersor
