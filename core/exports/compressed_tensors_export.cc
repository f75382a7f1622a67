// A Hugging Face folder in compressed-tensors' format "pack-quantized".
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/atomic_file.h"
#include "core/base/temporary_folder.h"
#include "core/encoding/dense_tensor.h"
#include "core/exports/compressed_tensors_config.h"
#include "core/exports/dense_values.h"
#include "core/exports/difference.h"
#include "core/exports/export_format.h"
#include "core/exports/folder_tensor.h"
#include "core/exports/huggingface_folder.h"
#include "core/exports/model_card.h"
#include "core/exports/pack_quantized.h"
#include "core/formats/artifact_info.h"
#include "core/formats/json_text.h"
#include "core/formats/safetensors.h"
#include "core/model/config_json.h"

namespace tersor {
namespace {

constexpr absl::string_view kName = "compressed-tensors";
constexpr absl::string_view kPackedSuffix = ".weight_packed";
// Scales are F16, and loaders compute in the scales' type.
constexpr DType kDenseType = DType::kF16;
constexpr int64_t kOtherFilesBytes = 1 << 20;
constexpr uint64_t kMaxConfigBytes = uint64_t{64} << 20;

// Matrices are F16; vectors too where that is exact.
DType TypeOf(const ExportTensor& tensor, const EncodedTensor& values) {
  return tensor.is_matrix() || FitOf(values).exact_f16 ? kDenseType : DType::kF32;
}

// What is written under one name: a part of a packed weight, or a parameter's rounded values.
struct Source {
  EncodedTensorPtr values;
  std::string module;
  size_t part = 0;
  bool packed = false;
};

class WeightsWriter {
 public:
  WeightsWriter(const Model& model, const ExportSubject& subject, const CompressedTensorsPlan& plan)
      : model_(model), subject_(subject), plan_(plan) {}

  absl::Status Write(const std::filesystem::path& path) {
    std::vector<TensorDeclaration> declarations;
    for (const ExportTensor& tensor : subject_.tensors) TERSOR_RETURN_IF_ERROR(Declare(tensor, declarations));
    TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                            SafetensorsWriter::Create(path, std::move(declarations), {{"format", "pt"}}));
    for (const TensorDeclaration& next : writer.order()) {
      const Source& source = sources_.at(next.name);
      if (source.packed) {
        TERSOR_RETURN_IF_ERROR(AppendPacked(source, writer));
      } else {
        TERSOR_RETURN_IF_ERROR(RoundTo(next.dtype, next.name, *source.values,
                                       [&](std::span<const std::byte> bytes) { return writer.Append(bytes); }));
      }
    }
    return writer.Finish();
  }

 private:
  absl::Status Declare(const ExportTensor& tensor, std::vector<TensorDeclaration>& declarations) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr values, model_.Find(tensor.parameter.name));
    const auto scheme = plan_.packed.find(tensor.module());
    if (scheme == plan_.packed.end()) {
      declarations.push_back({tensor.parameter.name, TypeOf(tensor, *values), tensor.parameter.shape});
      sources_[tensor.parameter.name].values = values;
      return absl::OkStatus();
    }
    const auto parts = PackedDeclarations(tensor.module(), tensor.parameter.shape, scheme->second);
    for (size_t i = 0; i < parts.size(); ++i) {
      declarations.push_back(parts[i]);
      sources_[parts[i].name] = {values, tensor.module(), i, /*packed=*/true};
    }
    return absl::OkStatus();
  }

  // Packs anew for each part rather than holding all packed weights at once.
  absl::Status AppendPacked(const Source& source, SafetensorsWriter& writer) {
    const auto weight = std::dynamic_pointer_cast<const GroupIntTensor>(source.values);
    if (weight == nullptr) return absl::InternalError(absl::StrCat(source.module, " is not group-int"));
    TERSOR_ASSIGN_OR_RETURN(const std::vector<PackedTensor> parts, PackQuantized(source.module, *weight));
    return writer.AppendTensor(parts[source.part].name, parts[source.part].tensor);
  }

  const Model& model_;
  const ExportSubject& subject_;
  const CompressedTensorsPlan& plan_;
  std::map<std::string, Source> sources_;
};

// The folder as a loader reads it: parameters by name, packed ones rebuilt by what config.json says.
absl::StatusOr<Model> ReadBack(const std::filesystem::path& folder) {
  const std::string where = (folder / "config.json").string();
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(folder / "config.json", kMaxConfigBytes));
  TERSOR_ASSIGN_OR_RETURN(nlohmann::json config, ParseJsonObject(text, where));
  TERSOR_ASSIGN_OR_RETURN(const Safetensors file, ReadSafetensorsFolder(folder));
  std::vector<std::string> modules;
  for (const auto& [name, tensor] : file.tensors) {
    if (absl::EndsWith(name, kPackedSuffix)) modules.emplace_back(absl::StripSuffix(name, kPackedSuffix));
  }
  TERSOR_ASSIGN_OR_RETURN(const auto schemes,
                          ParseCompressedTensorsConfig(config.value("quantization_config", nlohmann::json()), modules));
  Model model;
  std::set<std::string> used;
  for (const auto& [module, scheme] : schemes) {
    TERSOR_ASSIGN_OR_RETURN(const auto weight, UnpackQuantized(module, scheme, file));
    for (const TensorDeclaration& part : PackedDeclarations(module, weight->shape(), scheme)) used.insert(part.name);
    model.parameters[absl::StrCat(module, ".weight")] = weight;
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (used.count(name) > 0) continue;
    TERSOR_ASSIGN_OR_RETURN(model.parameters[name], DenseTensor::Create(tensor));
  }
  config.erase("quantization_config");
  TERSOR_ASSIGN_OR_RETURN(model.spec, SpecFromConfigJson(JsonText(config), where));
  return model;
}

absl::StatusOr<std::string> Verify(const Model& model, const CompressedTensorsPlan& plan,
                                   const std::filesystem::path& folder) {
  TERSOR_ASSIGN_OR_RETURN(const Model found, ReadBack(folder));
  // Names the first parameter that is missing, too many or of the wrong shape.
  TERSOR_RETURN_IF_ERROR(DescribeSubject(found, {}).status());
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
  }
  return absl::StrCat("reopened and decoded; ", tally.Text());
}

std::string StoredText(const CompressedTensorsPlan& plan, const ExportSubject& subject) {
  std::string text =
      absl::StrCat(plan.packed.size(), " linear layers are packed integers with their codes and scales as they were; ");
  absl::StrAppend(&text, subject.spec.tied ? "embedding and head" : "the embedding", " and all other weights are F16.");
  return text;
}

class CompressedTensorsExport final : public ExportFormat {
 public:
  std::string name() const override { return std::string(kName); }
  std::string artifact_name() const override { return std::string(kName); }

  absl::StatusOr<ExportPlan> Plan(const Model& model, const ExportSubject& subject) const override {
    TERSOR_RETURN_IF_ERROR(CheckPlainLayout(kName, subject.spec));
    TERSOR_ASSIGN_OR_RETURN(const CompressedTensorsPlan plan, PlanCompressedTensors(subject));
    TERSOR_RETURN_IF_ERROR(ConfigJson(subject.spec, TorchName(kDenseType)).status());
    ExportPlan answer;
    answer.bytes = kOtherFilesBytes + static_cast<int64_t>(model.assets.tokenizer_json.size());
    for (const ExportTensor& tensor : subject.tensors) {
      const auto scheme = plan.packed.find(tensor.module());
      const std::vector<TensorDeclaration> parts =
          scheme == plan.packed.end()
              ? std::vector<TensorDeclaration>{{tensor.parameter.name, tensor.is_matrix() ? kDenseType : DType::kF32,
                                                tensor.parameter.shape}}
              : PackedDeclarations(tensor.module(), tensor.parameter.shape, scheme->second);
      // 256 bytes are more than an entry in the header.
      for (const TensorDeclaration& part : parts) {
        answer.bytes += ElementCount(part.shape) * static_cast<int64_t>(DTypeSize(part.dtype)) + 256;
      }
    }
    answer.detail = StoredText(plan, subject);
    return answer;
  }

  absl::StatusOr<v1::ArtifactInfo> Write(const Model& model, const ExportSubject& subject, const v1::Report& report,
                                         const std::filesystem::path& path) const override {
    TERSOR_ASSIGN_OR_RETURN(const CompressedTensorsPlan plan, PlanCompressedTensors(subject));
    TERSOR_ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::Create(path));
    TERSOR_RETURN_IF_ERROR(WeightsWriter(model, subject, plan).Write(folder.path() / "model.safetensors"));
    HuggingFaceFolder contents;
    contents.spec = subject.spec;
    contents.dtype = kDenseType;
    contents.quantization_config = CompressedTensorsConfig(plan);
    contents.model_card = ModelCard(model, report, kName, StoredText(plan, subject), LoadCommands("."));
    TERSOR_RETURN_IF_ERROR(WriteHuggingFaceFiles(contents, model.assets, folder.path()));
    TERSOR_ASSIGN_OR_RETURN(std::string verification, Verify(model, plan, folder.path()));
    TERSOR_ASSIGN_OR_RETURN(v1::ArtifactInfo info, DescribeArtifact(kName, folder.path()));
    TERSOR_RETURN_IF_ERROR(folder.Commit());
    info.set_path(artifact_name());
    info.set_verification(std::move(verification));
    return info;
  }

  std::vector<v1::LoadCommand> LoadCommands(const std::filesystem::path& path) const override {
    return HuggingFaceLoadCommands(path);
  }
};

}  // namespace

std::unique_ptr<const ExportFormat> MakeCompressedTensorsExport() {
  return std::make_unique<const CompressedTensorsExport>();
}

}  // namespace tersor
