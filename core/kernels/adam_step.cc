#include "core/kernels/adam_step.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/adam_step.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h: it is compiled once per target.
#include "core/kernels/partial_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;

void AdamRow(const AdamStep& step, const float* HWY_RESTRICT gradient, float* HWY_RESTRICT first,
             float* HWY_RESTRICT second, float* HWY_RESTRICT values, int64_t count) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const auto beta1 = hn::Set(d, step.beta1), beta2 = hn::Set(d, step.beta2);
  const auto rest1 = hn::Set(d, step.rest1), rest2 = hn::Set(d, step.rest2);
  const auto scale = hn::Set(d, step.gradient_scale), second_scale = hn::Set(d, step.second_scale);
  const auto rate = hn::Set(d, step.rate), epsilon = hn::Set(d, step.epsilon), kept = hn::Set(d, 1 - step.decay);
  for (int64_t i = 0; i < count; i += lanes) {
    const int64_t n = count - i;
    const auto g = hn::Mul(scale, LoadPart(d, gradient + i, n));
    const auto m = hn::MulAdd(beta1, LoadPart(d, first + i, n), hn::Mul(rest1, g));
    const auto v = hn::MulAdd(beta2, LoadPart(d, second + i, n), hn::Mul(rest2, hn::Mul(g, g)));
    const auto change = hn::Div(hn::Mul(rate, m), hn::MulAdd(second_scale, hn::Sqrt(v), epsilon));
    StorePart(hn::MulSub(kept, LoadPart(d, values + i, n), change), d, values + i, n);
    StorePart(m, d, first + i, n);
    StorePart(v, d, second + i, n);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(AdamRow);

void ApplyAdamStep(const AdamStep& step, const float* gradient, float* first, float* second, float* values,
                   int64_t count) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(AdamRow)(step, gradient, first, second, values, count);
}

}  // namespace tersor
#endif  // HWY_ONCE
