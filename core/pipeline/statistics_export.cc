#include "core/pipeline/statistics_export.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/formats/artifact_info.h"
#include "core/formats/safetensors.h"
#include "core/statistics/moments.h"

namespace tersor {
namespace {

constexpr char kFileName[] = "statistics.safetensors";
constexpr int64_t kVectorsOfALayer = 7, kLinearLayersOfABlock = 7;

using NamedVectors = std::map<std::string, std::vector<float>>;

// Of each input's magnitude over the sampled tokens, as Quantile has it.
std::vector<float> MagnitudePercentile(const InputStatistics& gathered, double share) {
  const ConstMatrixView sample = gathered.sample();
  std::vector<float> percentiles(gathered.width());
  std::vector<double> magnitudes(sample.rows);
  for (int64_t i = 0; i < gathered.width(); ++i) {
    for (int64_t row = 0; row < sample.rows; ++row) magnitudes[row] = std::abs(sample.at(row, i));
    percentiles[i] = static_cast<float>(Quantile(magnitudes, share));
  }
  return percentiles;
}

NamedVectors VectorsOf(const std::vector<LayerStatistics>& statistics) {
  NamedVectors vectors;
  for (const LayerStatistics& entry : statistics) {
    const InputStatistics& gathered = entry.statistics;
    const std::vector<float> p50 = MagnitudePercentile(gathered, 0.5), p99 = MagnitudePercentile(gathered, 0.99);
    for (const std::string& layer : entry.layers) {
      vectors[layer + ".input_absmax"] = gathered.absmax();
      vectors[layer + ".input_mean_magnitude"] = gathered.MeanMagnitudes();
      vectors[layer + ".input_norm"] = gathered.Norms();
      vectors[layer + ".input_min"] = gathered.minima();
      vectors[layer + ".input_max"] = gathered.maxima();
      vectors[layer + ".input_magnitude_p50"] = p50;
      vectors[layer + ".input_magnitude_p99"] = p99;
    }
  }
  return vectors;
}

absl::Status Verify(const NamedVectors& vectors, const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(const Safetensors file, ReadSafetensors(path));
  for (const auto& [name, values] : vectors) {
    TERSOR_ASSIGN_OR_RETURN(const Tensor stored, file.Find(name));
    if (stored.bytes().size() == values.size() * sizeof(float) &&
        std::memcmp(stored.bytes().data(), values.data(), stored.bytes().size()) == 0) {
      continue;
    }
    return absl::DataLossError(absl::StrCat(path.string(), ": ", name, " reads back differently"));
  }
  return absl::OkStatus();
}

}  // namespace

bool ExportsStatistics(const v1::Recipe& recipe) {
  return std::find(recipe.export_().begin(), recipe.export_().end(), kStatisticsExport) != recipe.export_().end();
}

std::set<Statistic> ExportedStatistics() {
  return {Statistic::kAbsMax, Statistic::kMeanMagnitude, Statistic::kNorm, Statistic::kRange, Statistic::kSample};
}

ExportPlan PlanStatisticsExport(const ModelSpec& spec) {
  ExportPlan plan;
  int64_t widest = spec.width;
  for (const LayerSpec& layer : spec.layers) widest = std::max<int64_t>(widest, layer.inner_width);
  // 256 bytes are more than an entry in the header.
  const int64_t vectors = static_cast<int64_t>(spec.layers.size()) * kLinearLayersOfABlock * kVectorsOfALayer;
  plan.bytes = vectors * (widest * 4 + 256) + 4096;
  plan.detail =
      "inputs of the uncompressed layers on the calibration text: largest magnitude, mean magnitude, norm, range, and "
      "percentiles of the magnitude over evenly spaced tokens";
  return plan;
}

absl::StatusOr<v1::ArtifactInfo> WriteStatistics(const std::vector<LayerStatistics>& statistics,
                                                 absl::string_view dataset, const std::filesystem::path& folder) {
  const NamedVectors vectors = VectorsOf(statistics);
  std::vector<TensorDeclaration> declarations;
  for (const auto& [name, values] : vectors) {
    declarations.push_back({name, DType::kF32, {static_cast<int64_t>(values.size())}});
  }
  const int64_t tokens = statistics.empty() ? 0 : statistics.front().statistics.tokens();
  const std::filesystem::path path = folder / kFileName;
  TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(declarations),
                                                                              {{"tokens", absl::StrCat(tokens)},
                                                                               {"dataset", std::string(dataset)}}));
  const std::vector<TensorDeclaration> order = writer.order();
  for (const TensorDeclaration& next : order) {
    TERSOR_RETURN_IF_ERROR(writer.Append(std::as_bytes(std::span(vectors.at(next.name)))));
  }
  TERSOR_RETURN_IF_ERROR(writer.Finish());
  TERSOR_RETURN_IF_ERROR(Verify(vectors, path));
  TERSOR_ASSIGN_OR_RETURN(v1::ArtifactInfo info, DescribeArtifact(kStatisticsExport, path));
  info.set_verification(absl::StrCat("reopened; ", vectors.size(), " vectors over ", tokens, " tokens equal"));
  return info;
}

}  // namespace tersor
