#include "core/kernels/bit_plane_product.h"

#include <algorithm>
#include <utility>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/bit_plane_product.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h: it is compiled once per target.
#include "core/kernels/code_lookup-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
static_assert(kPlaneTile == kLookupTile);

void FillTables(const float* x, int64_t count, float* tables) {
  const D d;
  float signs[kPlaneTable][kPlaneTableSums];
  for (int i = 0; i < kPlaneTable; ++i) {
    for (int n = 0; n < kPlaneTableSums; ++n) signs[i][n] = (n >> i & 1) != 0 ? 1.0f : -1.0f;
  }
  for (int64_t t = 0; t < count; ++t, x += kPlaneTable, tables += kPlaneTableSums) {
    for (int p = 0; p < kParts; ++p) {
      V sum = hn::Mul(hn::LoadU(d, signs[0] + p * kLanes), hn::Set(d, x[0]));
      for (int i = 1; i < kPlaneTable; ++i) {
        sum = hn::MulAdd(hn::LoadU(d, signs[i] + p * kLanes), hn::Set(d, x[i]), sum);
      }
      hn::StoreU(sum, d, tables + p * kLanes);
    }
  }
}

HWY_INLINE V PlaneScales(const uint16_t* scales) {
  const hn::Rebind<hwy::float16_t, D> half;
  return hn::PromoteTo(D(), hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(scales)));
}

// sums[plane] += what a block's signs look up. `words` are the planes' words, 16 apart.
template <int kPlanes, int kTable>
HWY_INLINE void AddTable(const VU* words, const float* tables, V* sums) {
  const Book book(tables + kTable * kPlaneTableSums);
  for (int plane = 0; plane < kPlanes; ++plane) {
    sums[plane] = hn::Add(sums[plane], book.Find(hn::ShiftRight<4 * kTable>(words[plane])));
  }
}

template <int kPlanes, int... kTables>
HWY_INLINE void AddBlock(const uint32_t* signs, const float* tables, V* sums, std::integer_sequence<int, kTables...>) {
  VU words[kPlanes];
  for (int plane = 0; plane < kPlanes; ++plane) words[plane] = hn::Load(DU(), signs + plane * kPlaneTile);
  (AddTable<kPlanes, kTables>(words, tables, sums), ...);
}

template <int kPlanes>
void PlaneTile(const BitPlaneTiles& tiles, int64_t tile, const float* tables, float* y) {
  const D d;
  constexpr int64_t kTables = kPlaneBlock / kPlaneTable;
  constexpr int64_t kAhead = 1024;
  const int64_t blocks = tiles.groups * tiles.blocks_a_group;
  for (int p = 0; p < kParts; ++p) {
    const uint32_t* signs = tiles.signs + tile * blocks * kPlanes * kPlaneTile + p * kLanes;
    const uint16_t* scales = tiles.scales + tile * tiles.groups * kPlanes * kPlaneTile + p * kLanes;
    V total = hn::Zero(d);
    int64_t block = 0;
    for (int64_t group = 0; group < tiles.groups; ++group, scales += kPlanes * kPlaneTile) {
      V sums[kPlanes];
      for (int plane = 0; plane < kPlanes; ++plane) sums[plane] = hn::Zero(d);
      for (int64_t end = block + tiles.blocks_a_group; block < end; ++block, signs += kPlanes * kPlaneTile) {
        // The hardware's own look-ahead ends at each page and at each matrix.
        for (int plane = 0; plane < kPlanes; ++plane) __builtin_prefetch(signs + kAhead + plane * kPlaneTile);
        AddBlock<kPlanes>(signs, tables + block * kTables * kPlaneTableSums, sums,
                          std::make_integer_sequence<int, static_cast<int>(kTables)>());
      }
      for (int plane = 0; plane < kPlanes; ++plane) {
        total = hn::MulAdd(sums[plane], PlaneScales(scales + plane * kPlaneTile), total);
      }
    }
    hn::StoreU(total, d, y + p * kLanes);
  }
}

void TimesTables(const BitPlaneTiles& tiles, int64_t first, int64_t count, const float* tables, float* y) {
  using Run = void (*)(const BitPlaneTiles&, int64_t, const float*, float*);
  constexpr Run kRuns[] = {PlaneTile<1>, PlaneTile<2>, PlaneTile<3>, PlaneTile<4>,
                           PlaneTile<5>, PlaneTile<6>, PlaneTile<7>, PlaneTile<8>};
  for (int64_t i = 0; i < count; ++i) kRuns[tiles.planes - 1](tiles, first + i, tables, y + i * kPlaneTile);
}

void DecodePlanes(const BitPlaneTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride) {
  const D d;
  const DU du;
  const int64_t blocks = tiles.groups * tiles.blocks_a_group;
  const VU top = hn::Set(du, 0x80000000u);
  for (int64_t k = 0; k < inputs; ++k, out += stride) {
    const int64_t block = k / kPlaneBlock, group = block / tiles.blocks_a_group;
    const uint32_t* signs = tiles.signs + (tile * blocks + block) * tiles.planes * kPlaneTile;
    const uint16_t* scales = tiles.scales + (tile * tiles.groups + group) * tiles.planes * kPlaneTile;
    const VU mask = hn::Set(du, 1u << (k % kPlaneBlock));
    for (int p = 0; p < kParts; ++p) {
      V sum = hn::Zero(d);
      for (int plane = 0; plane < tiles.planes; ++plane) {
        const VU word = hn::Load(du, signs + plane * kPlaneTile + p * kLanes);
        // A clear bit turns the scale's sign.
        const VU minus = hn::IfThenElseZero(hn::Eq(hn::And(word, mask), hn::Zero(du)), top);
        const V scale = PlaneScales(scales + plane * kPlaneTile + p * kLanes);
        sum = hn::Add(sum, hn::Xor(scale, hn::BitCast(d, minus)));
      }
      hn::StoreU(sum, d, out + p * kLanes);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(FillTables);
HWY_EXPORT(TimesTables);
HWY_EXPORT(DecodePlanes);

void FillPlaneTables(const float* x, int64_t count, float* tables) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(FillTables)(x, count, tables);
}

void BitPlanesTimesTables(const BitPlaneTiles& tiles, int64_t first, int64_t count, const float* tables, float* y) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(TimesTables)(tiles, first, count, tables, y);
}

void DecodeBitPlaneTile(const BitPlaneTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(DecodePlanes)(tiles, tile, inputs, out, stride);
}

}  // namespace tersor
#endif  // HWY_ONCE
