#include "core/compress/outlier_check.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/warning.h"
#include "core/kernels/column_absmax.h"
#include "core/kernels/scratch.h"
#include "core/kernels/worker_pool.h"

namespace tersor {
namespace {

// Rows decoded together: few enough to stay in a core's cache.
constexpr int64_t kTileRows = 32;
// So that threads end at about the same time.
constexpr int64_t kPartsAThread = 4;

struct Outlier {
  int64_t channel = 0;
  double magnitude = 0;
  double median = 0;
};

// Channels that are 0 throughout say nothing of what is usual. nullopt where none is extreme.
std::optional<Outlier> FarthestOut(const std::vector<double>& magnitudes) {
  std::vector<double> alive;
  for (const double magnitude : magnitudes) {
    if (magnitude > 0) alive.push_back(magnitude);
  }
  if (alive.size() < 2) return std::nullopt;
  const auto middle = alive.begin() + static_cast<int64_t>(alive.size() - 1) / 2;
  std::nth_element(alive.begin(), middle, alive.end());
  const auto largest = std::max_element(magnitudes.begin(), magnitudes.end());
  if (!(*largest > kExtremeRatio * *middle)) return std::nullopt;
  return Outlier{largest - magnitudes.begin(), *largest, *middle};
}

// Largest magnitude of each channel, or root mean square where that is what was gathered; empty where nothing was.
std::vector<double> InputMagnitudes(const InputStatistics& statistics) {
  std::vector<double> magnitudes;
  const int64_t width = statistics.width();
  if (statistics.wants(Statistic::kAbsMax)) {
    magnitudes.assign(statistics.absmax().begin(), statistics.absmax().end());
  } else if (statistics.wants(Statistic::kRange)) {
    for (int64_t i = 0; i < width; ++i) {
      magnitudes.push_back(std::max(std::abs(statistics.minima()[i]), std::abs(statistics.maxima()[i])));
    }
  } else if (statistics.wants(Statistic::kSecondMoment)) {
    const ConstMatrixView moment = statistics.second_moment();
    const double tokens = static_cast<double>(std::max<int64_t>(statistics.tokens(), 1));
    for (int64_t i = 0; i < width; ++i) magnitudes.push_back(std::sqrt(moment.row(i)[i] / tokens));
  }
  return magnitudes;
}

// By column.
std::vector<double> WeightMagnitudes(const EncodedTensor& weight, int threads) {
  const int64_t columns = weight.columns();
  const int64_t parts = std::min<int64_t>(kPartsAThread * threads, (weight.rows() + kTileRows - 1) / kTileRows);
  const int64_t part_rows = (weight.rows() + parts - 1) / parts;
  std::vector<std::vector<float>> largest(parts, std::vector<float>(columns, 0.0f));
  RunTasks(threads, parts, [&](int64_t part) {
    ScratchBuffer rows(kTileRows * columns);
    const int64_t end = std::min(weight.rows(), (part + 1) * part_rows);
    for (int64_t first = part * part_rows; first < end; first += kTileRows) {
      const int64_t count = std::min(kTileRows, end - first);
      weight.DecodeRows(first, count, rows.data());
      AddColumnAbsMax(rows.data(), columns, count, columns, largest[part].data());
    }
  });
  std::vector<double> magnitudes(columns, 0.0);
  for (const std::vector<float>& part : largest) {
    for (int64_t i = 0; i < columns; ++i) magnitudes[i] = std::max<double>(magnitudes[i], part[i]);
  }
  return magnitudes;
}

v1::Warning Describe(const std::string& layer, const Outlier& outlier, absl::string_view what) {
  return MakeWarning(
      "EXTREME_OUTLIERS",
      absl::StrFormat(
          "%s %d reach %.3g, %.0f times the median channel's %.3g (more than %.0f times is extreme): a grid "
          "that spans them has little left for the others; leave the layer out with `skip`, or take a method that "
          "treats outliers apart (owq, spqr, llm_int8, smoothquant)",
          std::string(what), outlier.channel, outlier.magnitude, outlier.magnitude / outlier.median, outlier.median,
          kExtremeRatio),
      layer);
}

}  // namespace

absl::StatusOr<std::vector<v1::Warning>> FindExtremeOutliers(const SegmentTask& task) {
  std::vector<v1::Warning> warnings;
  for (const TargetLayer& target : task.layers) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(task.cancellation));
    const std::vector<double> magnitudes = WeightMagnitudes(*target.weight, task.threads);
    if (const std::optional<Outlier> outlier = FarthestOut(magnitudes)) {
      warnings.push_back(Describe(target.layer.name, *outlier, "weights of input channel"));
    }
  }
  if (task.statistics == nullptr || task.layers.empty()) return warnings;
  if (const std::optional<Outlier> outlier = FarthestOut(InputMagnitudes(*task.statistics))) {
    warnings.push_back(Describe(task.layers.front().layer.name, *outlier, "inputs of channel"));
  }
  return warnings;
}

}  // namespace tersor
