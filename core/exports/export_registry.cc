#include "core/exports/export_registry.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/exports/export_format.h"

namespace tersor {
namespace {

using FormatList = std::vector<std::unique_ptr<const ExportFormat>>;

FormatList MakeFormats() {
  FormatList formats;
  formats.push_back(MakeCompressedTensorsExport());
  formats.push_back(MakeGptqExport(1));
  formats.push_back(MakeGptqExport(2));
  formats.push_back(MakeAwqExport());
  formats.push_back(MakeGgufExport(GgufChoice::kF16));
  formats.push_back(MakeGgufExport(GgufChoice::kQ8_0));
  formats.push_back(MakeGgufExport(GgufChoice::kQ4_0));
  formats.push_back(MakeGgufExport(GgufChoice::kQ4_1));
  formats.push_back(MakeGgufExport(GgufChoice::kQ4_K));
  formats.push_back(MakeGgufExport(GgufChoice::kQ6_K));
  formats.push_back(MakeGgufExport(GgufChoice::kMxfp4));
  formats.push_back(MakeDenseExport(DenseChoice::kAutomatic));
  formats.push_back(MakeDenseExport(DenseChoice::kF16));
  formats.push_back(MakeDenseExport(DenseChoice::kBF16));
  formats.push_back(MakeDenseExport(DenseChoice::kF32));
  return formats;
}

const FormatList& Formats() {
  static const FormatList* const kFormats = new FormatList(MakeFormats());
  return *kFormats;
}

absl::StatusOr<const ExportFormat*> FindFormat(absl::string_view name) {
  for (const auto& format : Formats()) {
    if (format->name() == name) return format.get();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown export \"", name, "\"; known: ", absl::StrJoin(ExportNames(), ", ")));
}

// A file that leaves out how inputs are quantized would load as another, better model than the one that was evaluated.
absl::Status CheckInputs(const ExportFormat& format, const ExportSubject& subject) {
  std::vector<std::string> refused;
  std::string reason;
  for (const ExportTensor& tensor : subject.tensors) {
    const std::string& input = tensor.form.input_format;
    if (input.empty() || format.HoldsInputFormat(tensor.form)) continue;
    reason = absl::StrCat("the format cannot say that inputs are quantized (", input, ")");
    refused.push_back(tensor.module());
  }
  if (refused.empty()) return absl::OkStatus();
  return CannotHold(format.name(), reason, refused,
                    "Leave the export out (Tersor's own container holds everything) or quantize the weights only.");
}

}  // namespace

std::vector<std::string> ExportNames() {
  std::vector<std::string> names;
  for (const auto& format : Formats()) names.push_back(format->name());
  return names;
}

absl::StatusOr<ExportPlan> PlanExport(absl::string_view format, const Model& model, const PlannedEncodings& encodings) {
  TERSOR_ASSIGN_OR_RETURN(const ExportFormat* found, FindFormat(format));
  TERSOR_ASSIGN_OR_RETURN(const ExportSubject subject, DescribeSubject(model, encodings));
  TERSOR_RETURN_IF_ERROR(CheckInputs(*found, subject));
  return found->Plan(model, subject);
}

absl::StatusOr<v1::ArtifactInfo> WriteExport(absl::string_view format, const Model& model, const v1::Report& report,
                                             const std::filesystem::path& artifacts_dir) {
  TERSOR_ASSIGN_OR_RETURN(const ExportFormat* found, FindFormat(format));
  TERSOR_ASSIGN_OR_RETURN(const ExportSubject subject, DescribeSubject(model, {}));
  TERSOR_RETURN_IF_ERROR(CheckInputs(*found, subject));
  TERSOR_RETURN_IF_ERROR(found->Plan(model, subject).status());
  return found->Write(model, subject, report, artifacts_dir / found->artifact_name());
}

std::vector<v1::LoadCommand> LoadCommands(const v1::ArtifactInfo& artifact,
                                          const std::filesystem::path& artifacts_dir) {
  absl::StatusOr<const ExportFormat*> found = FindFormat(artifact.name());
  if (!found.ok()) return {};
  return (*found)->LoadCommands(artifacts_dir / artifact.path());
}

}  // namespace tersor
