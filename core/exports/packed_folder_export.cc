// A Hugging Face folder whose linear layers are packed as a ModulePacking says.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/atomic_file.h"
#include "core/base/temporary_folder.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/group_int_tensor.h"
#include "core/exports/dense_values.h"
#include "core/exports/difference.h"
#include "core/exports/folder_tensor.h"
#include "core/exports/huggingface_folder.h"
#include "core/exports/model_card.h"
#include "core/exports/module_packing.h"
#include "core/formats/artifact_info.h"
#include "core/model/config_json.h"

namespace tersor {
namespace {

// Scales are F16, and loaders compute in the scales' type.
constexpr DType kDenseType = DType::kF16;
constexpr int64_t kOtherFilesBytes = 1 << 20;

DType TypeOf(const ExportTensor& tensor, const EncodedTensor& values) {
  return tensor.is_matrix() || FitOf(values).exact_f16 ? kDenseType : DType::kF32;
}

// Writes model.safetensors; packs anew for each part rather than holding all packed weights at once.
class WeightsWriter {
 public:
  WeightsWriter(const Model& model, const ModulePacking& packing, const PackingPlan& plan)
      : model_(model), packing_(packing), plan_(plan) {}

  absl::Status Write(const ExportSubject& subject, const std::filesystem::path& path) {
    std::vector<TensorDeclaration> declarations;
    for (const ExportTensor& tensor : subject.tensors) TERSOR_RETURN_IF_ERROR(Declare(tensor, declarations));
    TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                            SafetensorsWriter::Create(path, std::move(declarations), {{"format", "pt"}}));
    for (const TensorDeclaration& next : writer.order()) {
      const Source& source = sources_.at(next.name);
      if (source.packed == nullptr) {
        TERSOR_RETURN_IF_ERROR(RoundTo(next.dtype, next.name, *source.values,
                                       [&](std::span<const std::byte> bytes) { return writer.Append(bytes); }));
      } else {
        TERSOR_RETURN_IF_ERROR(AppendPart(source, next.name, writer));
      }
    }
    return writer.Finish();
  }

 private:
  struct Source {
    EncodedTensorPtr values;
    // Of a packed part.
    const ExportTensor* packed = nullptr;
  };

  absl::Status Declare(const ExportTensor& tensor, std::vector<TensorDeclaration>& declarations) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr values, model_.Find(tensor.parameter.name));
    if (plan_.packed.count(tensor.module()) == 0) {
      declarations.push_back({tensor.parameter.name, TypeOf(tensor, *values), tensor.parameter.shape});
      sources_[tensor.parameter.name] = {values};
      return absl::OkStatus();
    }
    for (const TensorDeclaration& part : packing_.Declare(plan_, tensor)) {
      declarations.push_back(part);
      sources_[part.name] = {values, &tensor};
    }
    return absl::OkStatus();
  }

  absl::Status AppendPart(const Source& source, const std::string& name, SafetensorsWriter& writer) {
    const std::string module = source.packed->module();
    absl::StatusOr<std::vector<NamedTensor>> parts = packing_.Pack(plan_, *source.packed, source.values->weight());
    if (!parts.ok()) return Annotate(parts.status(), absl::StrCat("export ", packing_.name(), ": ", module));
    for (const NamedTensor& part : *parts) {
      if (part.name == name) return writer.AppendTensor(name, part.tensor);
    }
    return absl::InternalError(absl::StrCat(module, " has no part ", name));
  }

  const Model& model_;
  const ModulePacking& packing_;
  const PackingPlan& plan_;
  std::map<std::string, Source, std::less<>> sources_;
};

absl::Status CompareInputs(const std::string& name, const ActivationFormat* expected, const ActivationFormat* found) {
  const auto text = [](const ActivationFormat* format) {
    return format == nullptr ? "float" : absl::StrCat(format->name(), " ", format->Parameters().dump());
  };
  if (text(expected) == text(found)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("\"", name, "\" reads back with inputs in ", text(found), " instead of ", text(expected)));
}

// Loads the folder as any user would.
absl::StatusOr<std::string> Verify(const Model& model, const PackingPlan& plan, const std::filesystem::path& folder) {
  TERSOR_ASSIGN_OR_RETURN(const Model found, LoadModel(folder));
  if (found.parameters.size() != model.parameters.size()) {
    return absl::DataLossError(absl::StrCat(folder.string(), ": holds ", found.parameters.size(),
                                            " parameters instead of ", model.parameters.size()));
  }
  DifferenceTally tally;
  for (const auto& [name, expected] : model.parameters) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr values, found.Find(name));
    const bool packed = plan.packed.count(absl::StripSuffix(name, ".weight")) > 0;
    TERSOR_RETURN_IF_ERROR(
        tally.Compare(name, *expected, *values, packed ? DifferenceTally::Tolerance() : F16Tolerance));
    if (packed) TERSOR_RETURN_IF_ERROR(CompareInputs(name, expected->input_format(), values->input_format()));
  }
  return absl::StrCat("reopened and decoded; ", tally.Text());
}

std::string StoredText(const ModulePacking& packing, const PackingPlan& plan, const ExportSubject& subject) {
  std::string text = absl::StrCat(plan.packed.size(), " linear layers are ", packing.StoredAs(plan, subject),
                                  " with their codes and scales as they were; ");
  const bool head_packed = plan.packed.count("lm_head") > 0;
  absl::StrAppend(&text, subject.spec.tied || !head_packed ? "embedding and head" : "the embedding",
                  " and all other weights are F16.");
  return text;
}

class PackedFolderExport final : public ExportFormat {
 public:
  explicit PackedFolderExport(std::unique_ptr<const ModulePacking> packing) : packing_(std::move(packing)) {}

  std::string name() const override { return packing_->name(); }
  std::string artifact_name() const override { return packing_->name(); }
  bool HoldsInputFormat(const StoredForm& form) const override { return packing_->HoldsInputFormat(form); }

  absl::StatusOr<ExportPlan> Plan(const Model& model, const ExportSubject& subject) const override {
    TERSOR_RETURN_IF_ERROR(CheckPlainLayout(name(), subject.spec));
    TERSOR_ASSIGN_OR_RETURN(const PackingPlan plan, packing_->Plan(subject));
    TERSOR_RETURN_IF_ERROR(ConfigJson(subject.spec, TorchName(kDenseType)).status());
    ExportPlan answer;
    answer.bytes = kOtherFilesBytes + static_cast<int64_t>(model.assets.tokenizer_json.size());
    for (const ExportTensor& tensor : subject.tensors) {
      std::vector<TensorDeclaration> parts = {
          {tensor.parameter.name, tensor.is_matrix() ? kDenseType : DType::kF32, tensor.parameter.shape}};
      if (plan.packed.count(tensor.module()) > 0) parts = packing_->Declare(plan, tensor);
      // 256 bytes are more than an entry in the header.
      for (const TensorDeclaration& part : parts) {
        answer.bytes += ElementCount(part.shape) * static_cast<int64_t>(DTypeSize(part.dtype)) + 256;
      }
    }
    answer.detail = StoredText(*packing_, plan, subject);
    return answer;
  }

  absl::StatusOr<v1::ArtifactInfo> Write(const Model& model, const ExportSubject& subject, const v1::Report& report,
                                         const std::filesystem::path& path) const override {
    TERSOR_ASSIGN_OR_RETURN(const PackingPlan plan, packing_->Plan(subject));
    TERSOR_ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::Create(path));
    TERSOR_RETURN_IF_ERROR(WeightsWriter(model, *packing_, plan).Write(subject, folder.path() / "model.safetensors"));
    HuggingFaceFolder contents;
    contents.spec = subject.spec;
    contents.dtype = kDenseType;
    contents.quantization_config = packing_->Config(plan, subject);
    contents.model_card = ModelCard(model, report, name(), StoredText(*packing_, plan, subject), LoadCommands("."));
    TERSOR_RETURN_IF_ERROR(WriteHuggingFaceFiles(contents, model.assets, folder.path()));
    for (const auto& [file, text] : packing_->ExtraFiles(plan)) {
      TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder.path() / file, text));
    }
    TERSOR_ASSIGN_OR_RETURN(std::string verification, Verify(model, plan, folder.path()));
    TERSOR_ASSIGN_OR_RETURN(v1::ArtifactInfo info, DescribeArtifact(name(), folder.path()));
    TERSOR_RETURN_IF_ERROR(folder.Commit());
    info.set_path(artifact_name());
    info.set_verification(std::move(verification));
    return info;
  }

  std::vector<v1::LoadCommand> LoadCommands(const std::filesystem::path& path) const override {
    return HuggingFaceLoadCommands(path);
  }

 private:
  std::unique_ptr<const ModulePacking> packing_;
};

}  // namespace

std::unique_ptr<const ExportFormat> MakePackedFolderExport(std::unique_ptr<const ModulePacking> packing) {
  return std::make_unique<const PackedFolderExport>(std::move(packing));
}

absl::StatusOr<PackingPlan> PlanUniformPacking(absl::string_view format, const ExportSubject& subject, bool packs_head,
                                               bool allows_dense) {
  PackingPlan plan;
  std::vector<std::string> dense, different;
  // One scale a row everywhere is one figure for layers of any width.
  bool channels = true;
  for (const ExportTensor& tensor : subject.tensors) {
    if (!tensor.is_matrix() || tensor.is_vocabulary() || tensor.form.encoding != GroupIntTensor::kName) continue;
    channels &= tensor.form.group_size == tensor.parameter.shape[1];
  }
  const auto size_of = [&](const ExportTensor& tensor) { return channels ? -1 : tensor.form.group_size; };
  const auto describe = [](const ExportTensor& tensor) {
    return absl::StrCat(tensor.module(), " (", FormText(tensor.form), ")");
  };
  for (const ExportTensor& tensor : subject.tensors) {
    if (!tensor.is_matrix() || tensor.is_vocabulary()) continue;
    if (tensor.form.encoding != GroupIntTensor::kName) {
      dense.push_back(describe(tensor));
      plan.dense.push_back(tensor.module());
      continue;
    }
    if (plan.packed.empty()) {
      plan.bits = tensor.form.bits;
      plan.group_size = size_of(tensor);
    }
    if (tensor.form.bits != plan.bits || size_of(tensor) != plan.group_size) different.push_back(describe(tensor));
    plan.symmetric &= tensor.form.symmetric;
    plan.packed.insert(tensor.module());
  }
  if (plan.packed.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("export ", format,
                     ": no linear layer is quantized to integers. Add a quantize stage, or export to safetensors"));
  }
  if (!different.empty()) {
    return CannotHold(
        format, absl::StrCat("has one figure for all layers, here ", plan.bits, " bits in groups of ", plan.group_size),
        different, "Quantize all layers alike, or export to compressed-tensors");
  }
  if (!dense.empty() && !allows_dense) {
    return CannotHold(format, "expects every linear layer of the blocks to be quantized", dense,
                      "Skip no layer, or export to compressed-tensors or awq");
  }
  for (const ExportTensor& tensor : subject.tensors) {
    if (tensor.parameter.name != kHeadName) continue;
    const bool fits = tensor.form.encoding == GroupIntTensor::kName && tensor.form.bits == plan.bits &&
                      tensor.form.group_size == (channels ? tensor.parameter.shape[1] : plan.group_size);
    if (packs_head && fits) {
      plan.packed.insert(tensor.module());
    } else {
      plan.dense.push_back(tensor.module());
    }
  }
  if (subject.spec.tied) plan.dense.emplace_back(absl::StripSuffix(kHeadName, ".weight"));
  return plan;
}

}  // namespace tersor
