// ALPS (arXiv 2406.07831).
#ifndef TERSOR_CORE_COMPRESS_PRUNE_ALPS_H_
#define TERSOR_CORE_COMPRESS_PRUNE_ALPS_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/prune/pruning_method.h"

namespace tersor {

// Chooses the weights that stay, and their values, together: by splitting (sparse_fit.h) on the second moment of the
// inputs. The best of the methods that change a layer once, and the slowest.
class AlpsMethod final : public PruningMethod {
 public:
  static constexpr absl::string_view kName = "alps";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::PruneStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override;
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;
  LayerCost Cost(const LinearLayer& layer) const override;
  absl::StatusOr<SegmentOutcome> Apply(const SegmentTask& task) const override;

 private:
  struct Options {
    double damping = 0.01;
    int steps = 300;
    double dense_correction = 0;
  };
  AlpsMethod(const PruneOptions& shared, const Options& options) : PruningMethod(shared), own_(options) {}

  Options own_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_ALPS_H_
