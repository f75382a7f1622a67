#include "core/kernels/softmax_gradient.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/softmax_gradient.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h: it is compiled once per target.
#include "core/kernels/partial_vectors-inl.h"
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;

void SoftmaxRow(float* x, int64_t count, float temperature, float log_sum, float scale) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const auto inverse = hn::Set(d, 1.0f / temperature), shift = hn::Set(d, log_sum), scales = hn::Set(d, scale);
  for (int64_t i = 0; i < count; i += lanes) {
    const int64_t n = count - i;
    const auto e = hn::Exp(d, hn::MulSub(LoadPart(d, x + i, n), inverse, shift));
    StorePart(hn::Mul(scales, e), d, x + i, n);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(SoftmaxRow);

void ScaledSoftmax(float* x, int64_t count, float temperature, float log_sum, float scale) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(SoftmaxRow)(x, count, temperature, log_sum, scale);
}

}  // namespace tersor
#endif  // HWY_ONCE
