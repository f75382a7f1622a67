// OWQ: outlier-aware weight quantization (arXiv 2306.02272).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_OWQ_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_OWQ_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/feedback_preparation.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

// The input channels whose rounding would cost most ("weak columns", section 4.1) stay float; the others are rounded as
// GPTQ does it, and the float columns, last in its order, take over what is left of their errors.
class OwqMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "owq";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override;
  bool reads_dense_model() const override { return false; }
  LayerCost Cost(const LinearLayer& layer) const override;

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.grid.group_size; }

 private:
  struct Options {
    GridOptions grid = {.bits = 3, .group_size = 64, .search = v1::SCALE_SEARCH_HESSIAN};
    double float_columns = 0.01;
    FeedbackPolicy feedback;
  };
  OwqMethod(const Options& options, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options) {}
  int64_t FloatColumns(int64_t columns) const;

  Options options_;
};

// The `count` columns with the largest sensitivity (equation 4): the diagonal of the inputs' second moment times the
// squared error of the column's weights rounded to nearest. In rising order.
std::vector<int64_t> WeakColumns(ConstMatrixView weights, ConstMatrixView rounded, ConstMatrixView moment,
                                 int64_t count);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_OWQ_H_
