#include "core/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/kernels/scratch.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/attention.cc"
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

// c[kRows][kVectors] (+)= a[kRows][depth] b[depth][kVectors]; a's columns are contiguous. Every element is one chain
// of fused multiply-adds in the order of depth, whatever the tile's size.
template <int kRows, int kVectors>
HWY_INLINE void ProductTile(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* c,
                            int64_t c_stride, int64_t depth, bool accumulate) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  V sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = accumulate ? hn::LoadU(d, c + r * c_stride + v * lanes) : hn::Zero(d);
    }
  }
  for (int64_t k = 0; k < depth; ++k, b += b_stride) {
    V columns[kVectors];
    for (int v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(d, b + v * lanes);
    for (int r = 0; r < kRows; ++r) {
      const V factor = hn::Set(d, a[r * a_stride + k]);
      for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(factor, columns[v], sums[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[r][v], d, c + r * c_stride + v * lanes);
  }
}

template <int kVectors>
void ProductColumns(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* c, int64_t c_stride,
                    int64_t rows, int64_t depth, bool accumulate) {
  constexpr int kRows = 6;
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    ProductTile<kRows, kVectors>(a + r * a_stride, a_stride, b, b_stride, c + r * c_stride, c_stride, depth,
                                 accumulate);
  }
  for (; r < rows; ++r) {
    ProductTile<1, kVectors>(a + r * a_stride, a_stride, b, b_stride, c + r * c_stride, c_stride, depth, accumulate);
  }
}

// c[rows][columns] (+)= a[rows][depth] b[depth][columns]; columns is a multiple of 16.
void Product(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* c, int64_t c_stride,
             int64_t rows, int64_t depth, int64_t columns, bool accumulate) {
  const int64_t lanes = hn::Lanes(D());
  // As many accumulators as the registers hold: 16 of them up to AVX2, 32 with AVX-512.
  constexpr int kWide = HWY_TARGET <= HWY_AVX3 ? 4 : 2;
  int64_t column = 0;
  for (; column + kWide * lanes <= columns; column += kWide * lanes) {
    ProductColumns<kWide>(a, a_stride, b + column, b_stride, c + column, c_stride, rows, depth, accumulate);
  }
  for (; column < columns; column += lanes) {
    ProductColumns<1>(a, a_stride, b + column, b_stride, c + column, c_stride, rows, depth, accumulate);
  }
}

// The part [begin, end) of a row of scores that a query sees; the rest up to `width` is masked.
struct Seen {
  int64_t begin, end, width;
  HWY_INLINE bool all() const { return begin == 0 && end == width; }
  HWY_INLINE hn::Mask<D> mask(int64_t i) const {
    const D d;
    return hn::AndNot(hn::FirstN(d, begin > i ? begin - i : 0), hn::FirstN(d, end > i ? end - i : 0));
  }
};

template <bool kAll>
HWY_INLINE float LargestScore(const float* scores, const Seen& seen) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const V none = hn::Set(d, -std::numeric_limits<float>::infinity());
  V best = none;
  for (int64_t i = 0; i < seen.width; i += lanes) {
    const V score = hn::LoadU(d, scores + i);
    best = hn::Max(best, kAll ? score : hn::IfThenElse(seen.mask(i), score, none));
  }
  return hn::GetLane(hn::MaxOfLanes(d, best));
}

// Turns scores into exp(score - largest), masked ones into zeros; returns the sum.
template <bool kAll>
HWY_INLINE float Exponentiate(float* scores, const Seen& seen, float largest) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const V shift = hn::Set(d, largest);
  V sum = hn::Zero(d);
  for (int64_t i = 0; i < seen.width; i += lanes) {
    // Masked scores may be anything; seen ones are not above the largest.
    const V below = hn::Sub(hn::LoadU(d, scores + i), shift);
    // Min and Exp make a number of what is none, which a query would not notice.
    V e = hn::IfThenElse(hn::IsNaN(below), below, hn::Exp(d, hn::Min(below, hn::Zero(d))));
    if (!kAll) e = hn::IfThenElseZero(seen.mask(i), e);
    hn::StoreU(e, d, scores + i);
    sum = hn::Add(sum, e);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

HWY_INLINE void ScaleRow(float* x, int64_t count, float factor) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const V factors = hn::Set(d, factor);
  for (int64_t i = 0; i < count; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, x + i), factors), d, x + i);
}

HWY_INLINE void CapRow(float* scores, int64_t count, float cap) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const V caps = hn::Set(d, cap), inverse = hn::Set(d, 1.0f / cap);
  for (int64_t i = 0; i < count; i += lanes) {
    const V score = hn::LoadU(d, scores + i);
    const V capped = hn::Mul(caps, hn::Tanh(d, hn::Mul(score, inverse)));
    hn::StoreU(hn::IfThenElse(hn::IsNaN(score), score, capped), d, scores + i);
  }
}

// Scratch of a tile; row r is head r % group of position r / group.
struct Rows {
  int64_t count;
  float* queries;  // [count][head_size], scaled
  float* scores;   // [count][kKeyBlock]
  float* outputs;  // [count][padded]
  float* largest;  // [count]
  float* sums;     // [count]
};

void AttendBlock(const AttentionTile& tile, const Rows& rows, int64_t block) {
  const int64_t padded = PaddedHeadSize(tile.head_size);
  const int64_t start = block * kKeyBlock;
  const int64_t last = tile.first_position + tile.positions - 1;
  const int64_t filled = std::min(kKeyBlock, last + 1 - start);
  const int64_t width = (filled + 15) / 16 * 16;
  const KeyValueBlock& kv = tile.blocks[block];
  Product(rows.queries, tile.head_size, kv.keys, kKeyBlock, rows.scores, kKeyBlock, rows.count, tile.head_size, width,
          false);
  for (int64_t r = 0; r < rows.count; ++r) {
    float* scores = rows.scores + r * kKeyBlock;
    const int64_t position = tile.first_position + r / tile.group;
    const int64_t end = std::min(filled, position + 1 - start);
    const int64_t begin = tile.window > 0 ? std::max<int64_t>(0, position - tile.window + 1 - start) : 0;
    if (begin >= end) {
      std::fill(scores, scores + width, 0.0f);
      continue;
    }
    if (tile.score_cap > 0) CapRow(scores, width, tile.score_cap);
    const Seen seen{begin, end, width};
    const float before = rows.largest[r];
    const float here = seen.all() ? LargestScore<true>(scores, seen) : LargestScore<false>(scores, seen);
    const float largest = std::max(before, here);
    const float sum =
        seen.all() ? Exponentiate<true>(scores, seen, largest) : Exponentiate<false>(scores, seen, largest);
    const float correction = largest == before ? 1.0f : std::exp(before - largest);
    rows.sums[r] = rows.sums[r] * correction + sum;
    rows.largest[r] = largest;
    if (correction != 1.0f) ScaleRow(rows.outputs + r * padded, padded, correction);
  }
  Product(rows.scores, kKeyBlock, kv.values, padded, rows.outputs, padded, rows.count, filled, padded, true);
}

void AttendRows(const AttentionTile& tile) {
  const int64_t padded = PaddedHeadSize(tile.head_size);
  const int64_t count = tile.positions * tile.group;
  ScratchBuffer scratch(count * (tile.head_size + kKeyBlock + padded + 2));
  Rows rows;
  rows.count = count;
  rows.outputs = scratch.data();
  rows.scores = rows.outputs + count * padded;
  rows.queries = rows.scores + count * kKeyBlock;
  rows.largest = rows.queries + count * tile.head_size;
  rows.sums = rows.largest + count;
  std::fill(rows.outputs, rows.outputs + count * padded, 0.0f);
  std::fill(rows.largest, rows.largest + count, -std::numeric_limits<float>::infinity());
  std::fill(rows.sums, rows.sums + count, 0.0f);
  for (int64_t r = 0; r < count; ++r) {
    const float* query = tile.queries + r / tile.group * tile.query_stride + r % tile.group * tile.head_size;
    for (int64_t i = 0; i < tile.head_size; ++i) rows.queries[r * tile.head_size + i] = query[i] * tile.scale;
  }
  const int64_t last = tile.first_position + tile.positions - 1;
  const int64_t oldest = tile.window > 0 ? std::max<int64_t>(0, tile.first_position - tile.window + 1) : 0;
  for (int64_t block = oldest / kKeyBlock; block <= last / kKeyBlock; ++block) AttendBlock(tile, rows, block);
  for (int64_t r = 0; r < count; ++r) {
    float* output = tile.outputs + r / tile.group * tile.output_stride + r % tile.group * tile.head_size;
    const float scale = 1.0f / rows.sums[r];
    for (int64_t i = 0; i < tile.head_size; ++i) output[i] = rows.outputs[r * padded + i] * scale;
    if (tile.log_sums == nullptr) continue;
    tile.log_sums[r / tile.group * tile.log_sum_stride + r % tile.group] = rows.largest[r] + std::log(rows.sums[r]);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(AttendRows);

void Attend(const AttentionTile& tile) {
  LimitTargets();
  if (tile.positions > 0) HWY_DYNAMIC_DISPATCH(AttendRows)(tile);
}

}  // namespace tersor
#endif  // HWY_ONCE
