// Round to nearest.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_RTN_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_RTN_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/layerwise_method.h"
#include "core/compress/quantize/quantized_matrix.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// Each weight becomes the nearest point of its group's grid. Reads no calibration text.
class RtnMethod final : public LayerwiseMethod {
 public:
  static constexpr absl::string_view kName = "rtn";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  explicit RtnMethod(const GridOptions& options, ActivationPlan activations = {})
      : LayerwiseMethod(std::move(activations)), options_(options) {}
  absl::string_view name() const override { return kName; }
  // Zero is a point of every grid.
  std::string WhyNotPruned() const override { return ""; }

 protected:
  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override;
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.group_size; }
  double OperationsAWeight() const override;

 private:
  GridOptions options_;
};

// All of a matrix, with any search. INVALID_ARGUMENT where CheckWeights gives it.
absl::StatusOr<QuantizedMatrix> RoundToNearest(ConstMatrixView weights, const GridOptions& options, int threads);

// The same as an EncodeLayer of layer_rounding.h; without search by span_rounding.h.
absl::StatusOr<EncodedLayer> EncodeToNearest(const LayerWeight& weight, const GridOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_RTN_H_
