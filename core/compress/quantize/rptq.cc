#include "core/compress/quantize/rptq.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"
#include "core/encoding/int_static_format.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr int kRounds = 50;
constexpr int64_t kMostClusters = 4096;

struct Point {
  double low = 0;
  double high = 0;

  double DistanceTo(const Point& other) const {
    return (low - other.low) * (low - other.low) + (high - other.high) * (high - other.high);
  }
};

std::vector<Point> StartingCentres(const std::vector<Point>& points, int64_t clusters) {
  std::vector<int64_t> order(points.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return points[a].high - points[a].low < points[b].high - points[b].low;
  });
  std::vector<Point> centres;
  const int64_t last = static_cast<int64_t>(points.size()) - 1;
  for (int64_t c = 0; c < clusters; ++c)
    centres.push_back(points[order[clusters == 1 ? last / 2 : c * last / (clusters - 1)]]);
  return centres;
}

uint16_t NearestCentre(const Point& point, const std::vector<Point>& centres) {
  size_t nearest = 0;
  for (size_t c = 1; c < centres.size(); ++c) {
    if (point.DistanceTo(centres[c]) < point.DistanceTo(centres[nearest])) nearest = c;
  }
  return static_cast<uint16_t>(nearest);
}

// Centres become the means of what belongs to them; one that has nothing stays where it is.
void MoveCentres(const std::vector<Point>& points, const std::vector<uint16_t>& cluster_of,
                 std::vector<Point>& centres) {
  std::vector<Point> sums(centres.size());
  std::vector<int64_t> counts(centres.size());
  for (size_t i = 0; i < points.size(); ++i) {
    sums[cluster_of[i]].low += points[i].low;
    sums[cluster_of[i]].high += points[i].high;
    ++counts[cluster_of[i]];
  }
  for (size_t c = 0; c < centres.size(); ++c) {
    const double count = static_cast<double>(counts[c]);
    if (counts[c] > 0) centres[c] = {sums[c].low / count, sums[c].high / count};
  }
}

}  // namespace

std::vector<uint16_t> ClusterRanges(const std::vector<float>& minima, const std::vector<float>& maxima,
                                    int64_t clusters) {
  std::vector<Point> points;
  for (size_t i = 0; i < minima.size(); ++i) points.push_back({minima[i], maxima[i]});
  std::vector<Point> centres = StartingCentres(points, std::min<int64_t>(clusters, points.size()));
  std::vector<uint16_t> cluster_of(points.size());
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<uint16_t> before = cluster_of;
    std::transform(points.begin(), points.end(), cluster_of.begin(),
                   [&](const Point& point) { return NearestCentre(point, centres); });
    if (round > 0 && cluster_of == before) break;
    MoveCentres(points, cluster_of, centres);
  }
  // Without the numbers of empty clusters.
  std::map<uint16_t, uint16_t> numbers;
  for (const uint16_t cluster : cluster_of) numbers[cluster] = 0;
  uint16_t next = 0;
  for (auto& [cluster, number] : numbers) number = next++;
  for (uint16_t& cluster : cluster_of) cluster = numbers[cluster];
  return cluster_of;
}

MethodDescription RptqMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Static grids for clusters of input channels of like range",
          .reference = "arXiv 2304.01089",
          .options = {{"bits", "integer", "4", "Bits of a weight, 2 to 8"},
                      {"group_size", "integer", "64", "Weights of a row that share a scale; -1: one scale a row"},
                      {"activation_bits", "integer", "4", "Bits of an input, 2 to 8"},
                      {"clusters", "integer", "32", "Clusters of channels; 1: one static grid for the layer"}}};
}

std::unique_ptr<const Method> RptqMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                               std::vector<FieldViolation>& violations) {
  const v1::RptqConfig& config = stage.rptq();
  Options options;
  if (config.has_bits()) options.grid.bits = config.bits();
  if (config.has_group_size()) options.grid.group_size = config.group_size();
  if (config.has_activation_bits()) options.activation_bits = config.activation_bits();
  if (config.has_clusters()) options.clusters = config.clusters();
  const OptionChecks checks{field, violations};
  checks.Bits("bits", options.grid.bits);
  checks.GroupSize("group_size", options.grid.group_size);
  checks.Bits("activation_bits", options.activation_bits);
  checks.InRange("clusters", static_cast<double>(options.clusters), 1, kMostClusters);
  RefuseActivations(stage, StageField(field), kName, violations);
  return std::unique_ptr<const Method>(new RptqMethod(options));
}

PlannedEncoding RptqMethod::WeightEncoding(const LinearLayer& layer) const {
  PlannedEncoding encoding = GroupIntEncoding(options_.grid, layer);
  encoding.input_format = std::string(IntStaticFormat::kName);
  const int64_t clusters = std::min(options_.clusters, layer.inputs);
  encoding.input_parameters = nlohmann::json({{"bits", options_.activation_bits}, {"clusters", clusters}}).dump();
  encoding.bytes += IntStaticFormat::ByteSize(layer.inputs, clusters);
  return encoding;
}

absl::StatusOr<EncodedLayer> RptqMethod::EncodeWeight(const LayerWeight& weight) const {
  return EncodeToNearest(weight, options_.grid);
}

absl::StatusOr<ActivationFormatPtr> RptqMethod::InputFormat(int64_t width, const InputStatistics* statistics) const {
  const std::vector<float>&minima = statistics->minima(), &maxima = statistics->maxima();
  std::vector<uint16_t> cluster_of = ClusterRanges(minima, maxima, options_.clusters);
  const size_t clusters = *std::max_element(cluster_of.begin(), cluster_of.end()) + size_t{1};
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> lows(clusters, kInfinity), highs(clusters, -kInfinity);
  for (size_t i = 0; i < cluster_of.size(); ++i) {
    lows[cluster_of[i]] = std::min(lows[cluster_of[i]], minima[i]);
    highs[cluster_of[i]] = std::max(highs[cluster_of[i]], maxima[i]);
  }
  std::vector<StaticGrid> grids;
  for (size_t c = 0; c < clusters; ++c) {
    grids.push_back(SpanStaticGrid(lows[c], highs[c], options_.activation_bits, /*symmetric=*/false));
  }
  return IntStaticFormat::Create(width, options_.activation_bits, grids, std::move(cluster_of));
}

}  // namespace tersor
