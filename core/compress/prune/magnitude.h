// Pruning by magnitude.
#ifndef TERSOR_CORE_COMPRESS_PRUNE_MAGNITUDE_H_
#define TERSOR_CORE_COMPRESS_PRUNE_MAGNITUDE_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/prune/pruning_method.h"

namespace tersor {

// Keeps a layer's largest weights. Reads no calibration text: what every other method is to be better than.
class MagnitudeMethod final : public ScoringMethod {
 public:
  static constexpr absl::string_view kName = "magnitude";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::PruneStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  explicit MagnitudeMethod(const PruneOptions& options) : ScoringMethod(options) {}
  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override { return {}; }

 protected:
  bool scores_by_inputs() const override { return false; }
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_MAGNITUDE_H_
