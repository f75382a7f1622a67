// What methods that leave weights out share.
#ifndef TERSOR_CORE_COMPRESS_PRUNE_PRUNING_METHOD_H_
#define TERSOR_CORE_COMPRESS_PRUNE_PRUNING_METHOD_H_

#include <set>
#include <string>
#include <vector>

#include "core/compress/method.h"
#include "core/compress/prune/prune_options.h"
#include "core/compress/quantize/layer_weight.h"

namespace tersor {

// Leaves a share of each layer's weights out; other stages may follow, also of this family.
class PruningMethod : public Method {
 public:
  // Of weights in float32.
  PlannedEncoding Encoding(const LinearLayer& layer) const override;
  PlannedEncoding EncodingAfter(const LinearLayer& layer, const PlannedEncoding& before) const override;
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;
  LayerCost Cost(const LinearLayer& layer) const override;
  std::string WhyLast() const override { return ""; }
  std::string WhyNotPruned() const override { return ""; }
  bool decides() const override { return options_.allocation != Allocation::kUniform; }
  std::set<Statistic> analysis_statistics() const override;
  absl::StatusOr<nlohmann::json> Analyze(const BlockTask& task) const override;
  absl::StatusOr<nlohmann::json> Decide(const std::vector<nlohmann::json>& analyses) const override;

 protected:
  explicit PruningMethod(const PruneOptions& options) : options_(options) {}
  // Weights of a layer that stay, at most, where `options` are its own.
  virtual int64_t Kept(const LinearLayer& layer, const PruneOptions& options) const;
  // Whether what the inputs are decides too, and not the weights alone.
  virtual bool scores_by_inputs() const { return true; }
  const PruneOptions& options() const { return options_; }

 private:
  PruneOptions options_;
};

// A method that leaves the kept weights as they are: those with the largest scores.
class ScoringMethod : public PruningMethod {
 public:
  absl::StatusOr<SegmentOutcome> Apply(const SegmentTask& task) const override;

 protected:
  using PruningMethod::PruningMethod;
  // What decides in place of |W_ij|: W_ij's magnitude times factor j; empty: all 1.
  virtual std::vector<float> Factors(const InputStatistics* /*statistics*/) const { return {}; }
  // Whether each output keeps as many, or the layer as a whole.
  virtual bool by_row() const { return false; }
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_PRUNING_METHOD_H_
