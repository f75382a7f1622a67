// What methods that encode one matrix at a time share: from a segment's layers to replacements and report rows.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_LAYER_ROUNDING_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_LAYER_ROUNDING_H_

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/compress/method.h"
#include "core/compress/quantize/layer_weight.h"
#include "core/compress/quantize/moment_form.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/encoded_tensor.h"
#include "core/kernels/squared_error.h"

namespace tersor {

struct EncodedLayer {
  EncodedTensorPtr weight;
  // For the report (LayerResult says what each is); may be empty.
  std::string note;
  double damping = 0;
  double outlier_share = 0;
  std::vector<v1::Warning> warnings = {};
  // RelativeError of the weights alone, where the encoder has compared them with what they became.
  std::optional<double> weight_error = std::nullopt;
};

using EncodeLayer = std::function<absl::StatusOr<EncodedLayer>(const LayerWeight& weight)>;

// Encodes the task's layers one after the other, with EXTREME_OUTLIERS of what the encoder read (layer_weight.h);
// `input_format`, unless null, is put around each. The relative error is of the outputs where the task's statistics
// hold a second moment, else of the weights. INVALID_ARGUMENT names the layer whose weight is not finite.
absl::StatusOr<SegmentOutcome> EncodeLayers(const SegmentTask& task, const EncodeLayer& encode,
                                            const ActivationFormatPtr& input_format);

// ||(W - Q) X||^2 / ||W X||^2 of what `weight` and `rounded` decode to, by the form of X^T X; of the weights alone
// where `form` is null. 0 where the denominator is. Both have the same shape.
double RelativeError(const EncodedTensor& weight, const EncodedTensor& rounded, const MomentForm* form, int threads);
// The same from sums over parts of the matrix.
double RelativeError(std::span<const SquareSums> parts);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_LAYER_ROUNDING_H_
