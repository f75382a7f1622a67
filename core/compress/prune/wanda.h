// Wanda (arXiv 2306.11695).
#ifndef TERSOR_CORE_COMPRESS_PRUNE_WANDA_H_
#define TERSOR_CORE_COMPRESS_PRUNE_WANDA_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/prune/pruning_method.h"

namespace tersor {

// Keeps, of each output's weights, those with the largest |W_ij| |X_j|_2 (equation 1): magnitude times the norm of the
// input that it multiplies. Changes no kept weight and solves for nothing.
class WandaMethod final : public ScoringMethod {
 public:
  static constexpr absl::string_view kName = "wanda";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::PruneStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  explicit WandaMethod(const PruneOptions& options) : ScoringMethod(options) {}
  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override { return {Statistic::kNorm}; }

 protected:
  std::vector<float> Factors(const InputStatistics* statistics) const override { return statistics->Norms(); }
  bool by_row() const override { return true; }
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_WANDA_H_
