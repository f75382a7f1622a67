#include "core/kernels/vector_ops.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/vector_ops.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h: it is compiled once per target.
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;

float SumOfSquares(const float* x, int64_t width) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  auto sum0 = hn::Zero(d), sum1 = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * lanes <= width; i += 2 * lanes) {
    const auto a = hn::LoadU(d, x + i), b = hn::LoadU(d, x + i + lanes);
    sum0 = hn::MulAdd(a, a, sum0);
    sum1 = hn::MulAdd(b, b, sum1);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
  for (; i < width; ++i) sum += x[i] * x[i];
  return sum;
}

void RmsNormRows(const float* x, int64_t x_stride, int64_t rows, int64_t width, const float* weight, float epsilon,
                 float* y, int64_t y_stride) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t row = 0; row < rows; ++row, x += x_stride, y += y_stride) {
    const float scale = 1.0f / std::sqrt(SumOfSquares(x, width) / static_cast<float>(width) + epsilon);
    const auto scales = hn::Set(d, scale);
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
      hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, x + i), scales), hn::LoadU(d, weight + i)), d, y + i);
    }
    for (; i < width; ++i) y[i] = x[i] * scale * weight[i];
  }
}

void RopeRow(float* x, int64_t heads, int64_t head_size, const float* cosines, const float* sines) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const int64_t half = head_size / 2;
  for (int64_t head = 0; head < heads; ++head, x += head_size) {
    float* first = x;
    float* second = x + half;
    int64_t i = 0;
    for (; i + lanes <= half; i += lanes) {
      const auto a = hn::LoadU(d, first + i), b = hn::LoadU(d, second + i);
      const auto c = hn::LoadU(d, cosines + i), s = hn::LoadU(d, sines + i);
      hn::StoreU(hn::NegMulAdd(b, s, hn::Mul(a, c)), d, first + i);
      hn::StoreU(hn::MulAdd(a, s, hn::Mul(b, c)), d, second + i);
    }
    for (; i < half; ++i) {
      const float a = first[i], b = second[i];
      first[i] = a * cosines[i] - b * sines[i];
      second[i] = b * cosines[i] + a * sines[i];
    }
  }
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V SwiGluOf(D d, V gate, V up) {
  // Highway's Exp is valid up to 104; beyond 88 the float is infinite and the quotient 0, as it must be.
  const V e = hn::Exp(d, hn::Min(hn::Neg(gate), hn::Set(d, 100.0f)));
  return hn::Mul(hn::Div(gate, hn::Add(hn::Set(d, 1.0f), e)), up);
}

void SwiGluRow(float* gate, const float* up, int64_t count) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(SwiGluOf(d, hn::LoadU(d, gate + i), hn::LoadU(d, up + i)), d, gate + i);
  }
  if (i == count) return;
  // The last, partial vector is computed as a whole one, so that a value's place changes nothing.
  HWY_ALIGN float gates[hn::MaxLanes(D())] = {}, ups[hn::MaxLanes(D())] = {};
  std::copy(gate + i, gate + count, gates);
  std::copy(up + i, up + count, ups);
  hn::Store(SwiGluOf(d, hn::Load(d, gates), hn::Load(d, ups)), d, gates);
  std::copy(gates, gates + (count - i), gate + i);
}

const char* TargetName() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(RmsNormRows);
HWY_EXPORT(RopeRow);
HWY_EXPORT(SwiGluRow);
HWY_EXPORT(TargetName);

const char* KernelIsa() {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(TargetName)();
}

void RmsNorm(const float* x, int64_t x_stride, int64_t rows, int64_t width, const float* weight, float epsilon,
             float* y, int64_t y_stride) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(RmsNormRows)(x, x_stride, rows, width, weight, epsilon, y, y_stride);
}

void ApplyRope(float* x, int64_t heads, int64_t head_size, const float* cosines, const float* sines) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(RopeRow)(x, heads, head_size, cosines, sines);
}

void SwiGlu(float* gate, const float* up, int64_t count) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(SwiGluRow)(gate, up, count);
}

}  // namespace tersor
#endif  // HWY_ONCE
