// What every export format implements; the registry lists them.
#ifndef TERSOR_CORE_EXPORTS_EXPORT_FORMAT_H_
#define TERSOR_CORE_EXPORTS_EXPORT_FORMAT_H_

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/exports/export_registry.h"
#include "core/exports/export_subject.h"
#include "core/model/model.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Immutable and thread-safe.
class ExportFormat {
 public:
  virtual ~ExportFormat() = default;

  // "gguf:q4_0".
  virtual std::string name() const = 0;
  // File or folder in the artifact folder.
  virtual std::string artifact_name() const = 0;
  // Whether the format says what such a layer's inputs are quantized to; asked only where they are.
  virtual bool HoldsInputFormat(const StoredForm&) const { return false; }
  // See PlanExport.
  virtual absl::StatusOr<ExportPlan> Plan(const Model& model, const ExportSubject& subject) const = 0;
  // Writes to `path` as WriteExport says. The subject was planned without error.
  virtual absl::StatusOr<v1::ArtifactInfo> Write(const Model& model, const ExportSubject& subject,
                                                 const v1::Report& report, const std::filesystem::path& path) const = 0;
  // Commands that load the artifact at `path`.
  virtual std::vector<v1::LoadCommand> LoadCommands(const std::filesystem::path& path) const = 0;
};

std::unique_ptr<const ExportFormat> MakeCompressedTensorsExport();

// Version 1 stores zero points less one, version 2 as they are.
std::unique_ptr<const ExportFormat> MakeGptqExport(int version);
std::unique_ptr<const ExportFormat> MakeAwqExport();

enum class DenseChoice { kAutomatic, kF16, kBF16, kF32 };
std::unique_ptr<const ExportFormat> MakeDenseExport(DenseChoice choice);

// What a GGUF file's block matrices are stored as.
enum class GgufChoice { kF16, kQ8_0, kQ4_0, kQ4_1, kQ4_K, kQ6_K, kMxfp4 };
std::unique_ptr<const ExportFormat> MakeGgufExport(GgufChoice choice);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_EXPORT_FORMAT_H_
