// SparseGPT (arXiv 2301.00774).
#ifndef TERSOR_CORE_COMPRESS_PRUNE_SPARSEGPT_H_
#define TERSOR_CORE_COMPRESS_PRUNE_SPARSEGPT_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/prune/pruning_method.h"
#include "core/compress/quantize/feedback_preparation.h"
#include "core/compress/quantize/integer_grid.h"

namespace tersor {

// Leaves weights out column by column and makes up for each in the columns after it, on the system that GPTQ rounds by
// (feedback_system.h). The weights of a block of columns are chosen together, by what each costs at that moment
// (w^2 over the diagonal of the inverse moment's factor). With `bits` the kept weights are rounded in the same pass.
class SparseGptMethod final : public PruningMethod {
 public:
  static constexpr absl::string_view kName = "sparsegpt";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::PruneStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override;
  PlannedEncoding EncodingAfter(const LinearLayer& layer, const PlannedEncoding& before) const override;
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;
  std::string WhyLast() const override;
  LayerCost Cost(const LinearLayer& layer) const override;
  // FAILED_PRECONDITION names the layers whose second moment cannot be factored.
  absl::StatusOr<SegmentOutcome> Apply(const SegmentTask& task) const override;

 protected:
  int64_t Kept(const LinearLayer& layer, const PruneOptions& options) const override;

 private:
  struct Options {
    FeedbackPolicy feedback;
    int64_t block_columns = 128;
    bool activation_order = true;
    double dense_correction = 0;
    std::optional<GridOptions> grid;
  };
  SparseGptMethod(const PruneOptions& shared, const Options& options) : PruningMethod(shared), own_(options) {}
  // The columns in the order in which they go through.
  std::vector<int64_t> Order(ConstMatrixView moment) const;
  // Columns whose weights are chosen at once.
  int64_t BlockColumns(int64_t columns) const;

  Options own_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_SPARSEGPT_H_
