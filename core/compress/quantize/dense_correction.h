// Weights that make up for what compression did to their inputs.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_DENSE_CORRECTION_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_DENSE_CORRECTION_H_

#include <vector>

#include "core/calibration/input_statistics.h"
#include "core/compress/quantize/feedback_rounding.h"
#include "core/compress/quantize/feedback_system.h"
#include "core/compress/quantize/layer_weight.h"

namespace tersor {

// A layer of the compressed model reads X where the dense one reads D. The weights whose outputs on X are nearest to
// W's on D are W D^T X (X^T X + damping)^-1, up to the damping (asymmetric calibration: GPTAQ, arXiv 2504.02692; QEP,
// arXiv 2504.09629). The correction goes a share of the way from W to them: the whole way fits few calibration tokens
// too well.
class DenseCorrection {
 public:
  // A share of 0 does nothing and needs no statistic but the second moment.
  DenseCorrection(const InputStatistics& statistics, const std::vector<int64_t>& order, double share);

  // Changes the panel's weights. Any thread may correct any panel.
  void Apply(const FeedbackSystem& system, RoundingPanel& panel) const;
  // All rows of a layer's weights.
  void Apply(const FeedbackSystem& system, int threads, WeightValues& weights) const;

 private:
  // (D - X)^T X times the share, rows and columns in the order of rounding; empty where the share is 0.
  std::vector<float> drift_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_DENSE_CORRECTION_H_
