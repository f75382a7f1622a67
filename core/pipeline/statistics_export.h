// `export: [statistics]`: what the inputs of the uncompressed model's layers look like, as a safetensors file.
#ifndef TERSOR_CORE_PIPELINE_STATISTICS_EXPORT_H_
#define TERSOR_CORE_PIPELINE_STATISTICS_EXPORT_H_

#include <filesystem>
#include <functional>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/compress/layer_statistics.h"
#include "core/exports/export_registry.h"
#include "core/model/model_spec.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

inline constexpr absl::string_view kStatisticsExport = "statistics";

bool ExportsStatistics(const v1::Recipe& recipe);

// Everything but the second moments: seven vectors a layer.
std::set<Statistic> ExportedStatistics();

ExportPlan PlanStatisticsExport(const ModelSpec& spec);

// Writes statistics.safetensors into `folder`: for each layer MODULE.input_absmax, .input_mean_magnitude, .input_norm,
// .input_min and .input_max over the tokens that the metadata counts, .input_magnitude_p50 and .input_magnitude_p99
// over about 256 evenly spaced ones of them; F32 [inputs]; reopened and compared.
absl::StatusOr<v1::ArtifactInfo> WriteStatistics(const std::vector<LayerStatistics>& statistics,
                                                 absl::string_view dataset, const std::filesystem::path& folder);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_STATISTICS_EXPORT_H_
