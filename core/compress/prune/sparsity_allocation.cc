#include "core/compress/prune/sparsity_allocation.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compress/quantize/layer_weight.h"
#include "core/model/block.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using Json = nlohmann::json;

// Positive floats by exponent and the first four bits behind it.
constexpr int kBinShift = 19;
int BinOf(float score) { return static_cast<int>(std::bit_cast<uint32_t>(score) >> kBinShift); }

// A layer's weights, and what they are multiplied by to be scores.
struct ScoredLayer {
  std::string name;
  EncodedTensorPtr weight;
  std::vector<float> factors;
};

absl::StatusOr<std::vector<ScoredLayer>> LayersOf(const BlockTask& task) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<Segment> segments, Block::Describe(*task.model, task.block));
  std::vector<ScoredLayer> layers;
  for (const LinearLayer& layer : task.layers) {
    ScoredLayer& scored = layers.emplace_back();
    scored.name = layer.name;
    TERSOR_ASSIGN_OR_RETURN(scored.weight, task.model->Find(layer.name + ".weight"));
    scored.factors.assign(layer.inputs, 1.0f);
    for (size_t s = 0; s < segments.size() && s < task.statistics->size(); ++s) {
      const InputStatistics& statistics = (*task.statistics)[s];
      const bool reads = std::any_of(segments[s].linears.begin(), segments[s].linears.end(),
                                     [&](const LinearLayer& linear) { return linear.name == layer.name; });
      if (reads && statistics.wants(Statistic::kNorm)) scored.factors = statistics.Norms();
    }
  }
  return layers;
}

// Calls visit(tile, score) for every weight; tiles are those of LayerWeight.
template <typename Visit>
absl::Status VisitScores(const BlockTask& task, const ScoredLayer& layer, const Visit& visit) {
  const LayerWeight weight = {.stored = layer.weight.get(), .threads = task.threads, .cancellation = task.cancellation};
  const absl::Status status = weight.VisitTiles([&](int64_t first, ConstMatrixView rows) {
    for (int64_t row = 0; row < rows.rows; ++row) {
      for (int64_t i = 0; i < rows.columns; ++i) {
        visit(first / kTileRows, std::abs(rows.at(row, i)) * layer.factors[i]);
      }
    }
    return absl::OkStatus();
  });
  return Annotate(status, layer.name);
}

int64_t TilesOf(const ScoredLayer& layer) { return (layer.weight->rows() + kTileRows - 1) / kTileRows; }

absl::StatusOr<Json> CountOutliers(const BlockTask& task, const std::vector<ScoredLayer>& layers, double multiple) {
  double sum = 0, weights = 0, outliers = 0;
  if (layers.empty()) return Json::object();
  for (const ScoredLayer& layer : layers) {
    std::vector<double> sums(TilesOf(layer));
    TERSOR_RETURN_IF_ERROR(VisitScores(task, layer, [&](int64_t tile, float score) { sums[tile] += score; }));
    sum = std::accumulate(sums.begin(), sums.end(), sum);
    weights += static_cast<double>(layer.weight->elements());
  }
  const double limit = multiple * sum / weights;
  Json names = Json::array();
  for (const ScoredLayer& layer : layers) {
    std::vector<double> above(TilesOf(layer));
    TERSOR_RETURN_IF_ERROR(
        VisitScores(task, layer, [&](int64_t tile, float score) { above[tile] += score > limit ? 1 : 0; }));
    outliers = std::accumulate(above.begin(), above.end(), outliers);
    names.push_back(layer.name);
  }
  return Json{{"layers", std::move(names)}, {"weights", weights}, {"outliers", outliers / weights}};
}

absl::StatusOr<Json> CountScores(const BlockTask& task, const std::vector<ScoredLayer>& layers) {
  Json counts = Json::object();
  for (const ScoredLayer& layer : layers) {
    std::vector<std::map<int, int64_t>> tiles(TilesOf(layer));
    TERSOR_RETURN_IF_ERROR(VisitScores(task, layer, [&](int64_t tile, float score) { ++tiles[tile][BinOf(score)]; }));
    std::map<int, int64_t> bins;
    for (const auto& tile : tiles) {
      for (const auto& [bin, count] : tile) bins[bin] += count;
    }
    Json list = Json::array();
    for (const auto& [bin, count] : bins) list.push_back({bin, count});
    counts[layer.name] = std::move(list);
  }
  return Json{{"scores", std::move(counts)}};
}

absl::Status Damaged() { return absl::InternalError("analyses of pruning are not what they were made as"); }

// keep_l = 1 - s + spread * (what the block's outliers are in -1 .. 1, less the mean of that), with as much less spread
// as keeps every block within what it can keep, so that the mean stays 1 - s.
absl::StatusOr<Json> ByOutliers(const std::vector<Json>& analyses, const PruneOptions& options) {
  double least = 1, most = 0, weights = 0, sum = 0;
  for (const Json& analysis : analyses) {
    if (!analysis.contains("outliers") || !analysis.contains("layers")) return Damaged();
    least = std::min(least, analysis["outliers"].get<double>());
    most = std::max(most, analysis["outliers"].get<double>());
  }
  const auto share = [&](const Json& analysis) {
    return most > least ? (analysis["outliers"].get<double>() - least) / (most - least) * 2 * options.owl_spread : 0.0;
  };
  for (const Json& analysis : analyses) {
    const double own = analysis["weights"].get<double>();
    weights += own;
    sum += own * share(analysis);
  }
  const double mean = weights > 0 ? sum / weights : 0;
  const double most_sparsity = std::max(options.sparsity, kMostSparsity);
  double fit = 1;
  for (const Json& analysis : analyses) {
    const double more = share(analysis) - mean;
    if (more > 0) fit = std::min(fit, options.sparsity / more);
    if (more < 0) fit = std::min(fit, (most_sparsity - options.sparsity) / -more);
  }
  Json layers = Json::object();
  for (const Json& analysis : analyses) {
    const double sparsity = options.sparsity - fit * (share(analysis) - mean);
    // Only rounding leads out of it.
    for (const Json& name : analysis["layers"]) {
      layers[name.get<std::string>()] = std::clamp(sparsity, 0.0, most_sparsity);
    }
  }
  return Json{{"layers", std::move(layers)}};
}

absl::StatusOr<Json> ByThreshold(const std::vector<Json>& analyses, const PruneOptions& options) {
  std::map<int, double> all;
  double weights = 0;
  for (const Json& analysis : analyses) {
    if (!analysis.contains("scores")) return Damaged();
    for (const auto& [name, bins] : analysis["scores"].items()) {
      for (const Json& bin : bins) {
        all[bin[0].get<int>()] += bin[1].get<double>();
        weights += bin[1].get<double>();
      }
    }
  }
  // All below the bin that the threshold lies in, and a share of that.
  double below = 0, share = 0;
  int limit = 0;
  for (const auto& [bin, count] : all) {
    limit = bin;
    share = (options.sparsity * weights - below) / count;
    if (below + count >= options.sparsity * weights) break;
    below += count;
  }
  Json layers = Json::object();
  for (const Json& analysis : analyses) {
    for (const auto& [name, bins] : analysis["scores"].items()) {
      double out = 0, own = 0;
      for (const Json& bin : bins) {
        const double count = bin[1].get<double>();
        own += count;
        out += bin[0].get<int>() < limit ? count : bin[0].get<int>() == limit ? share * count : 0.0;
      }
      layers[name] = std::min(out / own, kMostSparsity);
    }
  }
  return Json{{"layers", std::move(layers)}};
}

}  // namespace

absl::StatusOr<Json> AnalyzeBlock(const BlockTask& task, const PruneOptions& options) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<ScoredLayer> layers, LayersOf(task));
  return options.allocation == Allocation::kOwl ? CountOutliers(task, layers, options.owl_outlier)
                                                : CountScores(task, layers);
}

absl::StatusOr<Json> AllocateSparsity(const std::vector<Json>& analyses, const PruneOptions& options) {
  std::vector<Json> kept;
  // Blocks all of whose layers have a sparsity of their own say nothing.
  std::copy_if(analyses.begin(), analyses.end(), std::back_inserter(kept), [](const Json& a) { return !a.empty(); });
  return options.allocation == Allocation::kOwl ? ByOutliers(kept, options) : ByThreshold(kept, options);
}

}  // namespace tersor
