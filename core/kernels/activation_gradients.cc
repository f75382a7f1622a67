#include "core/kernels/activation_gradients.h"

#include <cmath>
#include <numbers>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/activation_gradients.cc"
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
using V = hn::Vec<D>;

struct ValueAndSlope {
  V value, slope;
};

struct Silu {
  HWY_INLINE ValueAndSlope operator()(V v) const {
    const D d;
    const V one = hn::Set(d, 1.0f);
    const V s = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(v), hn::Set(d, 80.0f)))));
    const V value = hn::Mul(v, s);
    return {value, hn::MulAdd(value, hn::Sub(one, s), s)};
  }
};

struct GeluTanh {
  HWY_INLINE ValueAndSlope operator()(V v) const {
    const D d;
    const V root = hn::Set(d, 0.7978845608028654f), cubic = hn::Set(d, 0.044715f), half = hn::Set(d, 0.5f);
    const V square = hn::Mul(v, v);
    const V t = hn::Tanh(d, hn::Mul(root, hn::MulAdd(hn::Mul(cubic, square), v, v)));
    const V inner = hn::Mul(root, hn::MulAdd(hn::Set(d, 3 * 0.044715f), square, hn::Set(d, 1.0f)));
    const V half_v = hn::Mul(half, v);
    const V bend = hn::NegMulAdd(t, t, hn::Set(d, 1.0f));
    return {hn::MulAdd(half_v, t, half_v), hn::MulAdd(hn::Mul(half_v, bend), inner, hn::MulAdd(half, t, half))};
  }
};

struct Relu {
  HWY_INLINE ValueAndSlope operator()(V v) const {
    const D d;
    return {hn::Max(v, hn::Zero(d)), hn::IfThenElseZero(hn::Gt(v, hn::Zero(d)), hn::Set(d, 1.0f))};
  }
};

// kGated: gradient becomes up's and `gate_gradient` is written; else `up` and `gate_gradient` are null. A last, partial
// vector is loaded and stored by its lanes.
template <bool kGated, typename Function>
void Rows(const float* x, const float* up, float* gradient, float* gate_gradient, int64_t count) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t i = 0; i < count; i += lanes) {
    const int64_t n = count - i;
    const ValueAndSlope f = Function()(LoadPart(d, x + i, n));
    const V g = LoadPart(d, gradient + i, n);
    if constexpr (kGated) {
      StorePart(hn::Mul(hn::Mul(g, LoadPart(d, up + i, n)), f.slope), d, gate_gradient + i, n);
      StorePart(hn::Mul(g, f.value), d, gradient + i, n);
    } else {
      StorePart(hn::Mul(g, f.slope), d, gradient + i, n);
    }
  }
}

void ActivationRows(Activation activation, const float* x, const float* up, float* gradient, float* gate_gradient,
                    int64_t count) {
  const auto run = [&](auto function) HWY_ATTR {
    using Function = decltype(function);
    if (up != nullptr) return Rows<true, Function>(x, up, gradient, gate_gradient, count);
    Rows<false, Function>(x, up, gradient, gate_gradient, count);
  };
  if (activation == Activation::kSilu) return run(Silu());
  if (activation == Activation::kGeluTanh) return run(GeluTanh());
  run(Relu());
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(ActivationRows);

namespace {

// Highway has no error function.
void GeluRows(const float* x, const float* up, float* gradient, float* gate_gradient, int64_t count) {
  constexpr float kInverseRoot = 1.0f / std::numbers::sqrt2_v<float>;
  constexpr float kDensity = std::numbers::inv_sqrtpi_v<float> / std::numbers::sqrt2_v<float>;
  for (int64_t i = 0; i < count; ++i) {
    const float share = 0.5f * (1.0f + std::erf(x[i] * kInverseRoot));
    const float slope = share + x[i] * kDensity * std::exp(-0.5f * x[i] * x[i]);
    if (up == nullptr) {
      gradient[i] *= slope;
      continue;
    }
    gate_gradient[i] = gradient[i] * up[i] * slope;
    gradient[i] *= x[i] * share;
  }
}

}  // namespace

void BackpropagateActivation(Activation activation, const float* x, float* gradient, int64_t count) {
  BackpropagateGated(activation, x, nullptr, gradient, nullptr, count);
}

void BackpropagateGated(Activation activation, const float* gate, const float* up, float* gradient,
                        float* gate_gradient, int64_t count) {
  if (activation == Activation::kGelu) return GeluRows(gate, up, gradient, gate_gradient, count);
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(ActivationRows)(activation, gate, up, gradient, gate_gradient, count);
}

}  // namespace tersor
#endif  // HWY_ONCE
