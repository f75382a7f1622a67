// A Hugging Face folder whose weights are plain numbers.
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/temporary_folder.h"
#include "core/exports/dense_values.h"
#include "core/exports/difference.h"
#include "core/exports/export_format.h"
#include "core/exports/folder_tensor.h"
#include "core/exports/huggingface_folder.h"
#include "core/exports/model_card.h"
#include "core/formats/artifact_info.h"
#include "core/formats/safetensors.h"
#include "core/model/config_json.h"

namespace tersor {
namespace {

// Config, card and tokenizer of a folder, beside the assets' own texts.
constexpr int64_t kOtherFilesBytes = 1 << 20;

std::optional<DType> Chosen(DenseChoice choice) {
  switch (choice) {
    case DenseChoice::kAutomatic:
      return std::nullopt;
    case DenseChoice::kF16:
      return DType::kF16;
    case DenseChoice::kBF16:
      return DType::kBF16;
    case DenseChoice::kF32:
      return DType::kF32;
  }
  return std::nullopt;
}

// Uncompressed F32 weights stay F32: nobody asked for rounding.
bool IsDenseF32(const ExportSubject& subject) {
  bool f32 = false;
  for (const ExportTensor& tensor : subject.tensors) {
    if (!tensor.is_matrix()) continue;
    if (tensor.form.encoding != "dense") return false;
    f32 |= tensor.form.dtype == DType::kF32 || tensor.form.dtype == DType::kF64;
  }
  return f32;
}

// The type of the matrices, and for each vector its own: the same where that is exact, else F32.
struct DensePlan {
  DType matrices = DType::kF16;
  std::vector<DType> types;
};

DType ChooseMatrices(DenseChoice choice, const ExportSubject& subject, const DenseFit& fit) {
  if (const std::optional<DType> chosen = Chosen(choice); chosen.has_value()) return *chosen;
  if (fit.exact_bf16) return DType::kBF16;
  if (fit.exact_f16) return DType::kF16;
  if (IsDenseF32(subject)) return DType::kF32;
  return fit.finite_f16 ? DType::kF16 : DType::kBF16;
}

absl::StatusOr<DensePlan> PlanTypes(DenseChoice choice, const Model& model, const ExportSubject& subject) {
  std::vector<DenseFit> fits;
  DenseFit matrices;
  for (const ExportTensor& tensor : subject.tensors) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr values, model.Find(tensor.parameter.name));
    fits.push_back(FitOf(*values));
    if (tensor.is_matrix()) matrices.Add(fits.back());
  }
  DensePlan plan;
  plan.matrices = ChooseMatrices(choice, subject, matrices);
  for (size_t i = 0; i < fits.size(); ++i) {
    const bool exact = plan.matrices == DType::kF16 ? fits[i].exact_f16 : fits[i].exact_bf16;
    const bool keep_f32 = !subject.tensors[i].is_matrix() && !exact;
    plan.types.push_back(keep_f32 ? DType::kF32 : plan.matrices);
  }
  return plan;
}

absl::Status WriteWeights(const Model& model, const ExportSubject& subject, const DensePlan& plan,
                          const std::filesystem::path& path) {
  std::map<std::string, DType, std::less<>> types;
  for (size_t i = 0; i < subject.tensors.size(); ++i) types[subject.tensors[i].parameter.name] = plan.types[i];
  TERSOR_ASSIGN_OR_RETURN(const std::vector<FileTensor> tensors, FileTensors(subject.spec));
  std::map<std::string, const FileTensor*, std::less<>> by_name;
  std::vector<TensorDeclaration> declarations;
  for (const FileTensor& tensor : tensors) {
    DType dtype = plan.matrices;
    for (const TensorPart& part : tensor.parts) {
      if (types.at(part.parameter) == DType::kF32) dtype = DType::kF32;
    }
    declarations.push_back({tensor.name, dtype, FileShape(tensor)});
    by_name[tensor.name] = &tensor;
  }
  TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                          SafetensorsWriter::Create(path, std::move(declarations), {{"format", "pt"}}));
  for (const TensorDeclaration& next : writer.order()) {
    TERSOR_RETURN_IF_ERROR(WriteFolderTensor(*by_name.at(next.name), model, next.dtype,
                                             [&](std::span<const std::byte> bytes) { return writer.Append(bytes); }));
  }
  return writer.Finish();
}

// Reads the folder as any user would and compares every parameter.
absl::StatusOr<std::string> Verify(const Model& model, const std::filesystem::path& folder) {
  TERSOR_ASSIGN_OR_RETURN(const Model found, LoadModel(folder));
  DifferenceTally tally;
  for (const auto& [name, expected] : model.parameters) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr values, found.Find(name));
    const DType dtype = values->Fields()[0].tensor.dtype();
    const DifferenceTally::Tolerance tolerance = dtype == DType::kF16    ? F16Tolerance
                                                 : dtype == DType::kBF16 ? BF16Tolerance
                                                                         : DifferenceTally::Tolerance();
    TERSOR_RETURN_IF_ERROR(tally.Compare(name, *expected, *values, tolerance));
  }
  if (found.parameters.size() != model.parameters.size()) {
    return absl::DataLossError(absl::StrCat(folder.string(), ": holds ", found.parameters.size(),
                                            " parameters instead of ", model.parameters.size()));
  }
  return absl::StrCat("reopened and decoded; ", tally.Text());
}

class DenseExport final : public ExportFormat {
 public:
  explicit DenseExport(DenseChoice choice) : choice_(choice) {}

  std::string name() const override {
    switch (choice_) {
      case DenseChoice::kAutomatic:
        return "safetensors";
      case DenseChoice::kF16:
        return "safetensors:f16";
      case DenseChoice::kBF16:
        return "safetensors:bf16";
      case DenseChoice::kF32:
        return "safetensors:f32";
    }
    return "";
  }
  std::string artifact_name() const override {
    std::string file = name();
    for (char& c : file) c = c == ':' ? '-' : c;
    return file;
  }

  absl::StatusOr<ExportPlan> Plan(const Model& model, const ExportSubject& subject) const override {
    const bool wide = choice_ == DenseChoice::kF32 || (choice_ == DenseChoice::kAutomatic && IsDenseF32(subject));
    TERSOR_RETURN_IF_ERROR(ConfigJson(subject.spec, TorchName(DType::kF16)).status());
    ExportPlan plan;
    plan.bytes = kOtherFilesBytes + static_cast<int64_t>(model.assets.tokenizer_json.size());
    for (const ExportTensor& tensor : subject.tensors) {
      // A vector may stay F32; 256 bytes are more than its entry in the header.
      plan.bytes += ElementCount(tensor.parameter.shape) * (wide || !tensor.is_matrix() ? 4 : 2) + 256;
    }
    plan.detail = choice_ == DenseChoice::kAutomatic
                      ? "decoded to 16 bits where that is exact, else to F16 with the difference stated; "
                        "uncompressed F32 stays F32"
                      : absl::StrCat("decoded to ", DTypeName(*Chosen(choice_)));
    return plan;
  }

  absl::StatusOr<v1::ArtifactInfo> Write(const Model& model, const ExportSubject& subject, const v1::Report& report,
                                         const std::filesystem::path& path) const override {
    TERSOR_ASSIGN_OR_RETURN(const DensePlan plan, PlanTypes(choice_, model, subject));
    TERSOR_ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::Create(path));
    TERSOR_RETURN_IF_ERROR(WriteWeights(model, subject, plan, folder.path() / "model.safetensors"));
    HuggingFaceFolder contents;
    contents.spec = subject.spec;
    contents.dtype = plan.matrices;
    contents.model_card =
        ModelCard(model, report, name(),
                  absl::StrCat("All weights are stored as plain ", DTypeName(plan.matrices), "."), LoadCommands("."));
    TERSOR_RETURN_IF_ERROR(WriteHuggingFaceFiles(contents, model.assets, folder.path()));
    TERSOR_ASSIGN_OR_RETURN(std::string verification, Verify(model, folder.path()));
    TERSOR_ASSIGN_OR_RETURN(v1::ArtifactInfo info, DescribeArtifact(name(), folder.path()));
    TERSOR_RETURN_IF_ERROR(folder.Commit());
    info.set_path(artifact_name());
    info.set_verification(absl::StrCat(DTypeName(plan.matrices), ": ", verification));
    return info;
  }

  std::vector<v1::LoadCommand> LoadCommands(const std::filesystem::path& path) const override {
    return HuggingFaceLoadCommands(path);
  }

 private:
  DenseChoice choice_;
};

}  // namespace

std::unique_ptr<const ExportFormat> MakeDenseExport(DenseChoice choice) {
  return std::make_unique<const DenseExport>(choice);
}

}  // namespace tersor
