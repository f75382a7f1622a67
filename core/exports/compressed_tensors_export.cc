// Folders in compressed-tensors' formats: packed integers, W8A8, FP8, MXFP4, NVFP4.
// https://github.com/vllm-project/compressed-tensors
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/gguf_block_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/exports/compressed_tensors_form.h"
#include "core/exports/compressed_tensors_pack.h"
#include "core/exports/module_packing.h"

namespace tersor {
namespace {

constexpr absl::string_view kName = "compressed-tensors";
// A plan whose packed layers have one scale a row, all of them.
constexpr int64_t kChannels = -1;

absl::StatusOr<CompressedTensorsForm> FormIn(const PackingPlan& plan, const ExportTensor& tensor) {
  return CompressedTensorsFormOf(tensor.form, tensor.parameter.shape[1], plan.group_size == kChannels);
}

// Layers of one form, with the modules that have it.
struct Group {
  CompressedTensorsForm form;
  std::vector<std::string> modules;
};

// By bits first, so that the order does not hang on the spelling.
std::vector<Group> GroupsOf(const PackingPlan& plan, const ExportSubject& subject) {
  std::map<std::string, Group> by_form;
  for (const ExportTensor& tensor : subject.tensors) {
    if (plan.packed.count(tensor.module()) == 0) continue;
    const absl::StatusOr<CompressedTensorsForm> form = FormIn(plan, tensor);
    if (!form.ok()) continue;
    Group& group = by_form[absl::StrFormat("%02d %s %s %s", form->weights["num_bits"].get<int>(), form->format,
                                           form->weights.dump(), form->inputs.dump())];
    group.form = *form;
    group.modules.push_back(tensor.module());
  }
  std::vector<Group> groups;
  for (auto& [key, group] : by_form) {
    std::sort(group.modules.begin(), group.modules.end());
    groups.push_back(std::move(group));
  }
  return groups;
}

std::set<std::string> FormatsOf(const std::vector<Group>& groups) {
  std::set<std::string> formats;
  for (const Group& group : groups) formats.insert(group.form.format);
  return formats;
}

class CompressedTensorsPacking final : public ModulePacking {
 public:
  std::string name() const override { return std::string(kName); }
  bool HoldsInputFormat(const StoredForm& form) const override { return CompressedTensorsInputs(form).ok(); }

  absl::StatusOr<PackingPlan> Plan(const ExportSubject& subject) const override {
    PackingPlan plan;
    std::vector<std::string> refused;
    std::string reason;
    bool channels = true;
    for (const ExportTensor& tensor : subject.tensors) {
      if (!tensor.is_matrix() || tensor.parameter.name == kEmbeddingName) continue;
      if (tensor.form.encoding == DenseTensor::kName || tensor.form.encoding == GgufBlockTensor::kName) {
        plan.dense.push_back(tensor.module());
        continue;
      }
      plan.packed.insert(tensor.module());
      channels &= tensor.form.group_size == tensor.parameter.shape[1];
      const auto form = CompressedTensorsFormOf(tensor.form, tensor.parameter.shape[1], false);
      if (form.ok()) continue;
      if (reason.empty()) reason = std::string(form.status().message());
      refused.push_back(absl::StrCat(tensor.module(), " (", FormText(tensor.form), ")"));
    }
    if (!refused.empty()) {
      return CannotHold(kName, reason, refused,
                        "Quantize to integers, E4M3, MXFP4 or NVFP4, or export to safetensors; Tersor's own container "
                        "holds all");
    }
    if (plan.packed.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "export ", kName, ": no linear layer is quantized. Add a quantize stage, or export to safetensors"));
    }
    plan.group_size = channels ? kChannels : 0;
    if (subject.spec.tied) plan.dense.emplace_back(absl::StripSuffix(kHeadName, ".weight"));
    return plan;
  }

  std::vector<TensorDeclaration> Declare(const PackingPlan& plan, const ExportTensor& tensor) const override {
    const absl::StatusOr<CompressedTensorsForm> form = FormIn(plan, tensor);
    if (!form.ok()) return {};
    return CompressedTensorsDeclarations(tensor.module(), form->format, tensor.parameter.shape, tensor.form);
  }

  absl::StatusOr<std::vector<NamedTensor>> Pack(const PackingPlan& plan, const ExportTensor& tensor,
                                                const EncodedTensor& weight) const override {
    TERSOR_ASSIGN_OR_RETURN(const CompressedTensorsForm form, FormIn(plan, tensor));
    return PackCompressedTensors(tensor.module(), form.format, tensor.form, weight);
  }

  nlohmann::json Config(const PackingPlan& plan, const ExportSubject& subject) const override {
    const std::vector<Group> groups = GroupsOf(plan, subject);
    const std::set<std::string> formats = FormatsOf(groups);
    nlohmann::json config_groups = nlohmann::json::object();
    for (const Group& group : groups) {
      // With a single form the class name and the list of exceptions say it all, which every loader reads.
      nlohmann::json entry = {
          {"targets", groups.size() == 1 ? nlohmann::json::array({"Linear"}) : nlohmann::json(group.modules)},
          {"input_activations", group.form.inputs},
          {"output_activations", nullptr},
          {"weights", group.form.weights}};
      // A key that old readers refuse, so only where it is needed.
      if (formats.size() > 1) entry["format"] = group.form.format;
      config_groups[absl::StrCat("group_", config_groups.size())] = std::move(entry);
    }
    return {{"quant_method", std::string(kName)},
            {"format", formats.size() == 1 ? *formats.begin() : "mixed-precision"},
            {"quantization_status", "compressed"},
            {"global_compression_ratio", nullptr},
            {"kv_cache_scheme", nullptr},
            {"ignore", plan.dense},
            {"config_groups", std::move(config_groups)}};
  }

  std::string StoredAs(const PackingPlan& plan, const ExportSubject& subject) const override {
    return absl::StrJoin(FormatsOf(GroupsOf(plan, subject)), " and ");
  }
};

}  // namespace

std::unique_ptr<const ExportFormat> MakeCompressedTensorsExport() {
  return MakePackedFolderExport(std::make_unique<const CompressedTensorsPacking>());
}

}  // namespace tersor
