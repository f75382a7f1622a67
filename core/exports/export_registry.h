// The one list of files that a compressed model can be written to beside Tersor's own container.
#ifndef TERSOR_CORE_EXPORTS_EXPORT_REGISTRY_H_
#define TERSOR_CORE_EXPORTS_EXPORT_REGISTRY_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/model.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

struct ExportPlan {
  // Upper bound.
  int64_t bytes = 0;
  // For people: what becomes of codes, head and embedding.
  std::string detail;
};

// Whether `format` can hold `model` once its parameters have `encodings`; INVALID_ARGUMENT names the layers it cannot
// hold and what would work, and lists the known formats for an unknown one.
absl::StatusOr<ExportPlan> PlanExport(absl::string_view format, const Model& model, const PlannedEncodings& encodings);

// Writes `model` into `artifacts_dir` (a file or folder named after the format), reopens, decodes and compares it, and
// only then gives it its final name. `report`: the figures so far, for the model card.
absl::StatusOr<v1::ArtifactInfo> WriteExport(absl::string_view format, const Model& model, const v1::Report& report,
                                             const std::filesystem::path& artifacts_dir);

// Word for word, the commands that load the artifact from `artifacts_dir` in other programs; empty where none does.
std::vector<v1::LoadCommand> LoadCommands(const v1::ArtifactInfo& artifact, const std::filesystem::path& artifacts_dir);

std::vector<std::string> ExportNames();

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_EXPORT_REGISTRY_H_
