// A method that rounds every group of weights to a code book and does nothing else.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_CODEBOOK_METHOD_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_CODEBOOK_METHOD_H_

#include <utility>

#include "core/compress/quantize/codebook_rounding.h"
#include "core/compress/quantize/layerwise_method.h"

namespace tersor {

class CodebookMethod : public LayerwiseMethod {
 protected:
  CodebookMethod(const CodebookOptions& options, ActivationPlan activations)
      : LayerwiseMethod(std::move(activations)), options_(options) {}

  PlannedEncoding WeightEncoding(const LinearLayer& layer) const override { return CodebookEncoding(options_, layer); }
  absl::StatusOr<EncodedLayer> EncodeWeight(const LayerWeight& weight) const override;
  int64_t group_size() const override { return options_.group_size; }
  double OperationsAWeight() const override { return CodebookOperations(options_); }

 private:
  CodebookOptions options_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_CODEBOOK_METHOD_H_
