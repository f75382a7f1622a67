#include "core/compress/prune/pruning_method.h"

#include <cmath>
#include <utility>

#include "core/compress/prune/mask_selection.h"
#include "core/compress/prune/sparsity_allocation.h"
#include "core/compress/quantize/layer_rounding.h"
#include "core/kernels/parallel.h"
#include "nlohmann/json.hpp"

namespace tersor {

int64_t PruningMethod::Kept(const LinearLayer& layer, const PruneOptions& options) const {
  // Those that choose by rows, or by blocks of columns, keep the rests of the divisions.
  return layer.outputs * (layer.inputs - options.LeftOut(layer.inputs));
}

std::set<Statistic> PruningMethod::analysis_statistics() const {
  const bool reads = decides() && (scores_by_inputs() || options_.allocation == Allocation::kOwl);
  return reads ? std::set<Statistic>{Statistic::kNorm} : std::set<Statistic>();
}

absl::StatusOr<nlohmann::json> PruningMethod::Analyze(const BlockTask& task) const {
  BlockTask shared = task;
  std::erase_if(shared.layers, [&](const LinearLayer& layer) { return options_.RuleOf(layer.name) != nullptr; });
  return AnalyzeBlock(shared, options_);
}

absl::StatusOr<nlohmann::json> PruningMethod::Decide(const std::vector<nlohmann::json>& analyses) const {
  return AllocateSparsity(analyses, options_);
}

PlannedEncoding PruningMethod::Encoding(const LinearLayer& layer) const {
  return MaskedEncoding(options_, layer, Kept(layer, options_.Of(layer.name)), sizeof(float));
}

PlannedEncoding PruningMethod::EncodingAfter(const LinearLayer& layer, const PlannedEncoding& before) const {
  // A sparsity that is shared out is that of all layers together; each rounds for itself.
  const int64_t rounding = decides() ? layer.outputs : 0;
  return MaskedEncoding(options_, layer, Kept(layer, options_.Of(layer.name)) + rounding,
                        MaskedValueBytes(before, layer));
}

std::vector<FieldViolation> PruningMethod::CheckLayers(const std::vector<LinearLayer>& layers,
                                                       const std::string& field) const {
  // Shared options stand in the stage's message, beside the method's.
  return CheckPattern(options_, layers, field.substr(0, field.rfind('.')));
}

LayerCost PruningMethod::Cost(const LinearLayer& layer) const {
  const int64_t weights = layer.outputs * layer.inputs;
  // Floats, scores, indices and marks of all weights.
  return {.scratch_bytes = 17 * weights, .operations = 200 * static_cast<double>(weights)};
}

absl::StatusOr<SegmentOutcome> ScoringMethod::Apply(const SegmentTask& task) const {
  const std::vector<float> factors = Factors(task.statistics);
  return EncodeLayers(
      task,
      [&](LayerWeight weight) -> absl::StatusOr<EncodedLayer> {
        // No grid has to span them.
        weight.column_magnitudes = nullptr;
        TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
        const ConstMatrixView w = values.view();
        std::vector<float> scores(w.rows * w.columns);
        RunTasks(weight.threads, w.rows, [&](int64_t row) {
          for (int64_t i = 0; i < w.columns; ++i) {
            scores[row * w.columns + i] = std::abs(w.at(row, i)) * (factors.empty() ? 1.0f : factors[i]);
          }
        });
        ScoreLeftOut(*weight.stored, scores);
        const PruneOptions own = options().Of(weight.layer->name, task.decision);
        const ConstMatrixView view(scores.data(), w.rows, w.columns);
        std::vector<uint8_t> kept =
            by_row() ? KeepByRow(view, own, weight.threads) : KeepByLayer(view, own, weight.threads);
        TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded,
                                EncodeMasked(*weight.stored, std::move(kept),
                                             {w.data, static_cast<size_t>(w.rows * w.columns)}, options().pattern));
        return EncodedLayer{std::move(encoded), ""};
      },
      nullptr);
}

}  // namespace tersor
