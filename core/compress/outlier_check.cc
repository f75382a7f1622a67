#include "core/compress/outlier_check.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "core/base/warning.h"

namespace tersor {
namespace {

struct Outlier {
  int64_t channel = 0;
  double magnitude = 0;
  double median = 0;
};

// Channels that are 0 throughout say nothing of what is usual. nullopt where none is extreme.
std::optional<Outlier> FarthestOut(const std::vector<float>& magnitudes) {
  std::vector<float> alive;
  for (const float magnitude : magnitudes) {
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
std::vector<float> InputMagnitudes(const InputStatistics& statistics) {
  std::vector<float> magnitudes;
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
    for (int64_t i = 0; i < width; ++i) magnitudes.push_back(static_cast<float>(std::sqrt(moment.row(i)[i] / tokens)));
  }
  return magnitudes;
}

v1::Warning Describe(const std::string& layer, const Outlier& outlier, absl::string_view what) {
  return MakeWarning(
      "EXTREME_OUTLIERS",
      absl::StrFormat(
          "%s %d reach %.3g, %.0f times the median channel's %.3g (more than %.0f times is extreme): a grid "
          "that spans them has little left for the others; leave the layer out with `skip` (a head with "
          "`head { bits: 0 }`), or take a method that treats outliers apart (owq, spqr, llm_int8, smoothquant)",
          std::string(what), outlier.channel, outlier.magnitude, outlier.magnitude / outlier.median, outlier.median,
          kExtremeRatio),
      layer);
}

}  // namespace

std::optional<v1::Warning> FindWeightOutlier(const std::string& layer, const std::vector<float>& column_magnitudes) {
  const std::optional<Outlier> outlier = FarthestOut(column_magnitudes);
  if (!outlier.has_value()) return std::nullopt;
  return Describe(layer, *outlier, "weights of input channel");
}

std::optional<v1::Warning> FindInputOutlier(const SegmentTask& task) {
  if (task.statistics == nullptr || task.layers.empty()) return std::nullopt;
  const std::optional<Outlier> outlier = FarthestOut(InputMagnitudes(*task.statistics));
  if (!outlier.has_value()) return std::nullopt;
  return Describe(task.layers.front().layer.name, *outlier, "inputs of channel");
}

}  // namespace tersor
