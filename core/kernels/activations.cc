#include "core/kernels/activations.h"

#include <cmath>
#include <numbers>

#include "core/kernels/targets.h"
#include "core/kernels/vector_ops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/activations.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h: it is compiled once per target.
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

HWY_INLINE V SiluOf(V v) {
  const D d;
  const V e = hn::Exp(d, hn::Min(hn::Neg(v), hn::Set(d, 100.0f)));
  return hn::Div(v, hn::Add(hn::Set(d, 1.0f), e));
}

HWY_INLINE V GeluTanhOf(V v) {
  const D d;
  const V cube = hn::Mul(hn::Mul(v, v), v);
  const V inner = hn::Mul(hn::Set(d, 0.7978845608028654f), hn::MulAdd(hn::Set(d, 0.044715f), cube, v));
  const V half = hn::Mul(hn::Set(d, 0.5f), v);
  return hn::MulAdd(half, hn::Tanh(d, inner), half);
}

// Max would make 0 of what is no number.
HWY_INLINE V ReluOf(V v) { return hn::IfThenElse(hn::IsNaN(v), v, hn::Max(v, hn::Zero(D()))); }

// The last, partial vector is computed as a whole one, so that a value's place changes nothing.
template <typename Function>
HWY_INLINE void ForVectors(float* x, int64_t count, const Function& function) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(function(hn::LoadU(d, x + i)), d, x + i);
  if (i == count) return;
  HWY_ALIGN float rest[hn::MaxLanes(D())] = {};
  for (int64_t j = i; j < count; ++j) rest[j - i] = x[j];
  hn::Store(function(hn::Load(d, rest)), d, rest);
  for (int64_t j = i; j < count; ++j) x[j] = rest[j - i];
}

void SiluRow(float* x, int64_t count) {
  ForVectors(x, count, [](V v) HWY_ATTR { return SiluOf(v); });
}
void GeluTanhRow(float* x, int64_t count) {
  ForVectors(x, count, [](V v) HWY_ATTR { return GeluTanhOf(v); });
}
void ReluRow(float* x, int64_t count) {
  ForVectors(x, count, [](V v) HWY_ATTR { return ReluOf(v); });
}

void MultiplyRow(float* x, const float* by, int64_t count) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, by + i)), d, x + i);
  for (; i < count; ++i) x[i] *= by[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(SiluRow);
HWY_EXPORT(GeluTanhRow);
HWY_EXPORT(ReluRow);
HWY_EXPORT(MultiplyRow);

void Activate(Activation activation, float* x, int64_t count) {
  LimitTargets();
  switch (activation) {
    case Activation::kSilu:
      HWY_DYNAMIC_DISPATCH(SiluRow)(x, count);
      return;
    case Activation::kGeluTanh:
      HWY_DYNAMIC_DISPATCH(GeluTanhRow)(x, count);
      return;
    case Activation::kRelu:
      HWY_DYNAMIC_DISPATCH(ReluRow)(x, count);
      return;
    case Activation::kGelu:
      // Highway has no error function.
      constexpr float kInverseRoot = 1.0f / std::numbers::sqrt2_v<float>;
      for (int64_t i = 0; i < count; ++i) x[i] = 0.5f * x[i] * (1.0f + std::erf(x[i] * kInverseRoot));
      return;
  }
}

void ActivateGated(Activation activation, float* gate, const float* up, int64_t count) {
  if (activation == Activation::kSilu) return SwiGlu(gate, up, count);
  Activate(activation, gate, count);
  HWY_DYNAMIC_DISPATCH(MultiplyRow)(gate, up, count);
}

}  // namespace tersor
#endif  // HWY_ONCE
