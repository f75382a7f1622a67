#include "core/kernels/column_absmax.h"

#include <algorithm>
#include <bit>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/column_absmax.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Without their signs, bits of floats are in the order of the magnitudes.
constexpr uint32_t kMagnitude = 0x7fffffffu;

// Row by row: memory is read in the order of addresses, and the results of a few thousand columns stay in the first
// cache.
void ColumnAbsMax(const float* x, int64_t stride, int64_t rows, int64_t columns, float* largest) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> bits;
  const int64_t lanes = hn::Lanes(d);
  const auto magnitude = hn::Set(bits, static_cast<int32_t>(kMagnitude));
  const auto load = [&](const float* from)
                        HWY_ATTR { return hn::And(hn::BitCast(bits, hn::LoadU(d, from)), magnitude); };
  for (int64_t row = 0; row < rows; ++row, x += stride) {
    int64_t i = 0;
    for (; i + lanes <= columns; i += lanes) {
      const auto best = hn::Max(load(x + i), hn::BitCast(bits, hn::LoadU(d, largest + i)));
      hn::StoreU(hn::BitCast(d, best), d, largest + i);
    }
    for (; i < columns; ++i) {
      const uint32_t here = std::bit_cast<uint32_t>(x[i]) & kMagnitude;
      largest[i] = std::bit_cast<float>(std::max(here, std::bit_cast<uint32_t>(largest[i])));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(ColumnAbsMax);

void AddColumnAbsMax(const float* x, int64_t stride, int64_t rows, int64_t columns, float* largest) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(ColumnAbsMax)(x, stride, rows, columns, largest);
}

}  // namespace tersor
#endif  // HWY_ONCE
