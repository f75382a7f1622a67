// SpQR: sparse-quantized representation (arXiv 2306.03078).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_SPQR_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_SPQR_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/feedback_preparation.h"
#include "core/compress/quantize/layerwise_method.h"
#include "core/encoding/bilevel_int_tensor.h"

namespace tersor {

// Outliers, the weights whose rounding would cost most, stay float in a sparse matrix; the others are rounded with
// GPTQ's updates in small groups, whose scales and zero points are quantized themselves over tiles of neighbouring
// rows.
class SpqrMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "spqr";
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
  int64_t group_size() const override { return options_.group_size; }

 private:
  struct Options {
    int bits = 3;
    int64_t group_size = 16;
    int scale_bits = 3;
    int64_t scale_group = 16;
    double outliers = 0.01;
    FeedbackPolicy feedback;
  };
  SpqrMethod(const Options& options, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options) {}
  BilevelIntLayout Layout(int64_t rows, int64_t columns) const;
  int64_t Outliers(int64_t weights) const;

  Options options_;
};

// What a weight's rounding costs where its group's grid is fitted to the other weights of the group (section 4.1's
// sensitivity, as the authors' code computes it): `importance` by column times the squared error. [rows, columns].
std::vector<float> LeaveOneOutCosts(ConstMatrixView weights, const std::vector<float>& importance, int bits,
                                    int64_t group_size, int threads);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_SPQR_H_
