// Round to nearest.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_RTN_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_RTN_H_

#include <set>
#include <string>
#include <vector>

#include "core/compress/method.h"
#include "core/compress/method_description.h"
#include "core/compress/quantize/quantized_matrix.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// Each weight becomes the nearest point of its group's grid. Reads no calibration text.
class RtnMethod final : public Method {
 public:
  static constexpr absl::string_view kName = "rtn";
  static MethodDescription Describe();

  explicit RtnMethod(const GridOptions& options) : options_(options) {}
  absl::string_view name() const override { return kName; }
  std::set<Statistic> statistics() const override { return {}; }
  PlannedEncoding Encoding(const LinearLayer& layer) const override;
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                          const std::string& field) const override;
  LayerCost Cost(const LinearLayer& layer) const override;
  absl::StatusOr<SegmentOutcome> Apply(const SegmentTask& task) const override;

 private:
  GridOptions options_;
};

// Rounds `weights`, and says by how much: the sum of squared errors over the sum of squared weights.
struct RoundedMatrix {
  QuantizedMatrix matrix;
  double relative_error = 0;
};
absl::StatusOr<RoundedMatrix> RoundToNearest(ConstMatrixView weights, const GridOptions& options, int threads);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_RTN_H_
