#include "core/kernels/kv_codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/kernels/targets.h"
#include "core/tensor/float16.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/kv_codes.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using DU = hn::RebindToUnsigned<D>;
using DI = hn::RebindToSigned<D>;

// Elements part * bytes and up of a run.
template <int kShift>
HWY_INLINE void DequantizePart(const uint8_t* codes, int64_t count, uint32_t mask, float scale, float minimum,
                               float* out) {
  const D d;
  const DU du;
  const DI di;
  const hn::Rebind<uint8_t, D> bytes;
  const int64_t lanes = hn::Lanes(d);
  const auto scales = hn::Set(d, scale), minima = hn::Set(d, minimum);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto wide = hn::PromoteTo(du, hn::LoadU(bytes, codes + i));
    const auto code = hn::And(hn::ShiftRight<kShift>(wide), hn::Set(du, mask));
    hn::StoreU(hn::MulAdd(hn::ConvertTo(d, hn::BitCast(di, code)), scales, minima), d, out + i);
  }
  for (; i < count; ++i) out[i] = std::fma(static_cast<float>((codes[i] >> kShift) & mask), scale, minimum);
}

void DequantizeRun(const uint8_t* codes, int64_t count, int bits, float scale, float minimum, float* out) {
  const int64_t bytes = KvRunBytes(count, bits);
  const uint32_t mask = (1u << bits) - 1;
  const auto here = [&](int64_t part) { return std::clamp<int64_t>(count - part * bytes, 0, bytes); };
  DequantizePart<0>(codes, here(0), mask, scale, minimum, out);
  if (bits == 4) DequantizePart<4>(codes, here(1), mask, scale, minimum, out + bytes);
  if (bits != 2) return;
  DequantizePart<2>(codes, here(1), mask, scale, minimum, out + bytes);
  DequantizePart<4>(codes, here(2), mask, scale, minimum, out + 2 * bytes);
  DequantizePart<6>(codes, here(3), mask, scale, minimum, out + 3 * bytes);
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(DequantizeRun);

namespace {

constexpr float kLargestF16 = 65504;

}  // namespace

KvGrid QuantizeKvRun(const float* x, int64_t count, int bits, uint8_t* codes) {
  const auto [smallest, largest] = std::minmax_element(x, x + count);
  const float levels = static_cast<float>((1 << bits) - 1);
  KvGrid grid;
  grid.minimum = FloatToF16(std::clamp(*smallest, -kLargestF16, kLargestF16));
  const float minimum = F16ToFloat(grid.minimum);
  // From the stored minimum, which rounding may have moved.
  const float range = std::clamp(*largest, -kLargestF16, kLargestF16) - minimum;
  grid.scale = FloatToF16(std::clamp(range / levels, 0.0f, kLargestF16));
  const float scale = F16ToFloat(grid.scale);
  const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
  const int64_t bytes = KvRunBytes(count, bits);
  std::memset(codes, 0, bytes);
  for (int64_t i = 0; i < count; ++i) {
    const float code = std::clamp(std::nearbyint((x[i] - minimum) * inverse), 0.0f, levels);
    codes[i % bytes] |= static_cast<uint8_t>(static_cast<int>(code) << (i / bytes * bits));
  }
  return grid;
}

void DequantizeKvRun(const uint8_t* codes, int64_t count, int bits, KvGrid grid, float* out) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(DequantizeRun)(codes, count, bits, F16ToFloat(grid.scale), F16ToFloat(grid.minimum), out);
}

void Transpose(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to, int64_t to_stride) {
  // Squares whose rows and columns stay in the first-level cache.
  constexpr int64_t kSquare = 8;
  for (int64_t r0 = 0; r0 < rows; r0 += kSquare) {
    for (int64_t c0 = 0; c0 < columns; c0 += kSquare) {
      for (int64_t c = c0; c < std::min(c0 + kSquare, columns); ++c) {
        for (int64_t r = r0; r < std::min(r0 + kSquare, rows); ++r) {
          to[c * to_stride + r] = from[r * from_stride + c];
        }
      }
    }
  }
}

}  // namespace tersor
#endif  // HWY_ONCE
