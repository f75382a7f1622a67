#include "core/kernels/outer_products.h"

#include <algorithm>
#include <cstring>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/outer_products.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

// c[kRows][kVectors] += sum over k of a[k][kRows]^T b[k][kVectors].
template <int kRows, int kVectors>
HWY_INLINE void Tile(int64_t depth, const float* HWY_RESTRICT a, int64_t a_stride, const float* HWY_RESTRICT b,
                     int64_t b_stride, float* HWY_RESTRICT c, int64_t c_stride) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  V sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::LoadU(d, c + r * c_stride + v * lanes);
  }
  for (int64_t k = 0; k < depth; ++k, a += a_stride, b += b_stride) {
    V columns[kVectors];
    for (int v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(d, b + v * lanes);
    for (int r = 0; r < kRows; ++r) {
      const V factor = hn::Set(d, a[r]);
      for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(factor, columns[v], sums[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[r][v], d, c + r * c_stride + v * lanes);
  }
}

// All of c's rows of kVectors vectors.
template <int kRows, int kVectors>
void Columns(const OuterProducts& p, const float* b, float* c) {
  int64_t r = 0;
  for (; r + kRows <= p.a_columns; r += kRows) {
    Tile<kRows, kVectors>(p.depth, p.a + r, p.a_stride, b, p.b_stride, c + r * p.c_stride, p.c_stride);
  }
  for (; r + 4 <= p.a_columns; r += 4) {
    Tile<4, kVectors>(p.depth, p.a + r, p.a_stride, b, p.b_stride, c + r * p.c_stride, p.c_stride);
  }
  for (; r < p.a_columns; ++r) {
    Tile<1, kVectors>(p.depth, p.a + r, p.a_stride, b, p.b_stride, c + r * p.c_stride, p.c_stride);
  }
}

// As many accumulators as the registers hold: 16 of them up to AVX2, 32 with AVX-512.
void OuterProductsLoop(const OuterProducts& p) {
  constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3;
  const int64_t lanes = hn::Lanes(D());
  int64_t at = 0;
  if (kManyRegisters) {
    for (; at + 4 * lanes <= p.b_columns; at += 4 * lanes) Columns<6, 4>(p, p.b + at, p.c + at);
    for (; at + 2 * lanes <= p.b_columns; at += 2 * lanes) Columns<12, 2>(p, p.b + at, p.c + at);
  } else {
    for (; at + 2 * lanes <= p.b_columns; at += 2 * lanes) Columns<6, 2>(p, p.b + at, p.c + at);
  }
  for (; at < p.b_columns; at += lanes) Columns<4, 1>(p, p.b + at, p.c + at);
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(OuterProductsLoop);

namespace {

// Rows summed at a time: so many of a panel stay in the first-level cache.
constexpr int64_t kDepth = 128;

}  // namespace

void AddOuterProducts(const OuterProducts& product) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(OuterProductsLoop)(product);
}

ColumnPanels::ColumnPanels(int64_t rows, int64_t columns)
    : rows_(rows),
      columns_(columns),
      panels_((columns + kPanelColumns - 1) / kPanelColumns),
      storage_(rows * panels_ * kPanelColumns) {}

void ColumnPanels::SetRow(int64_t row, const float* source) {
  float* target = storage_.data() + row * kPanelColumns;
  for (int64_t first = 0; first < columns_; first += kPanelColumns, target += rows_ * kPanelColumns) {
    const int64_t count = std::min(kPanelColumns, columns_ - first);
    std::memcpy(target, source + first, count * sizeof(float));
    if (count < kPanelColumns) std::memset(target + count, 0, (kPanelColumns - count) * sizeof(float));
  }
}

void AddPanelMoments(const ColumnPanels& left, PanelRange left_range, const ColumnPanels& right, PanelRange right_range,
                     int64_t rows, bool lower_only, float* c, int64_t c_stride) {
  for (int64_t first = 0; first < rows; first += kDepth) {
    const int64_t depth = std::min(kDepth, rows - first), offset = first * kPanelColumns;
    for (int64_t j = 0; j < right_range.count; ++j) {
      const float* b = right.panel(right_range.first + j) + offset;
      for (int64_t i = lower_only ? j : 0; i < left_range.count; ++i) {
        AddOuterProducts({depth, left.panel(left_range.first + i) + offset, kPanelColumns, kPanelColumns, b,
                          kPanelColumns, kPanelColumns, c + i * kPanelColumns * c_stride + j * kPanelColumns,
                          c_stride});
      }
    }
  }
}

}  // namespace tersor
#endif  // HWY_ONCE
