// The kernels of low_bit_product.cc, compiled once per target.
#if defined(TERSOR_CORE_KERNELS_LOW_BIT_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TERSOR_CORE_KERNELS_LOW_BIT_PRODUCT_INL_H_
#undef TERSOR_CORE_KERNELS_LOW_BIT_PRODUCT_INL_H_
#else
#define TERSOR_CORE_KERNELS_LOW_BIT_PRODUCT_INL_H_
#endif

#include "core/kernels/code_lookup-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
static_assert(kLowBitTile == kLookupTile);

// Asks for a block that is read some blocks later: the hardware's own look-ahead ends at each page and at each matrix.
template <int kBits>
HWY_INLINE void PrefetchBlock(const uint32_t* words) {
  constexpr int64_t kAhead = 1024;
  for (int line = 0; line < kBits; ++line) __builtin_prefetch(words + kAhead + line * kLowBitTile);
}

// The codes of inputs 4 kFour .. 4 kFour + 3 of a block, one a byte.
template <int kBits, int kFour>
HWY_INLINE VU Codes(const uint32_t* words) {
  const DU d;
  if constexpr (kBits == 8) {
    return hn::Load(d, words + kFour * kLowBitTile);
  } else {
    VU codes = hn::Zero(d);
    int word = 0;
    int shift = 0;
    if constexpr ((kBits & 4) != 0) {
      const VU plane = hn::ShiftRight<4 * (kFour % 2)>(hn::Load(d, words + kFour / 2 * kLowBitTile));
      codes = hn::And(plane, hn::Set(d, 0x0f0f0f0fu));
      word = shift = 4;
    }
    if constexpr ((kBits & 2) != 0) {
      const VU plane = hn::ShiftRight<2 * (kFour % 4)>(hn::Load(d, words + (word + kFour / 4) * kLowBitTile));
      const VU part = hn::And(plane, hn::Set(d, 0x03030303u));
      codes = (kBits & 4) != 0 ? hn::Or(codes, hn::ShiftLeft<4>(part)) : part;
      word += 2;
      shift += 2;
    }
    if constexpr ((kBits & 1) != 0) {
      const VU plane = hn::ShiftRight<kFour>(hn::Load(d, words + word * kLowBitTile));
      codes = hn::Or(codes, hn::ShiftLeft<kBits - 1>(hn::And(plane, hn::Set(d, 0x01010101u))));
    }
    return codes;
  }
}

HWY_INLINE VI Bytes(const uint8_t* bytes) {
  const hn::Rebind<uint8_t, DI> tag;
  return hn::PromoteTo(DI(), hn::LoadU(tag, bytes));
}

HWY_INLINE V HalfInAllLanes(uint16_t bits) {
  const hn::Rebind<hwy::float16_t, D> half;
  return hn::PromoteTo(D(), hn::BitCast(half, hn::Set(hn::RebindToUnsigned<decltype(half)>(), bits)));
}

// Of 16 outputs' part that begins at `at`.
HWY_INLINE V Scales(const LowBitTiles& tiles, int64_t at) {
  const D d;
  if (tiles.levels != nullptr) {
    const uint16_t* grid = tiles.level_scales + at / kLowBitTile * 2;
    const V code = hn::ConvertTo(d, hn::And(Bytes(tiles.levels + at), hn::Set(DI(), 15)));
    return hn::MulAdd(code, HalfInAllLanes(grid[1]), HalfInAllLanes(grid[0]));
  }
  if (tiles.float_scales != nullptr) return hn::LoadU(d, tiles.float_scales + at);
  const hn::Rebind<hwy::float16_t, D> half;
  return hn::PromoteTo(d, hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(tiles.scales + at)));
}

// The same of zero points; of integer codes.
HWY_INLINE VI ZeroPoints(const LowBitTiles& tiles, int64_t at) {
  const DI d;
  if (tiles.levels != nullptr) {
    const uint8_t* grid = tiles.level_zero_points + at / kLowBitTile * 2;
    const VI code = hn::ShiftRight<4>(Bytes(tiles.levels + at));
    return hn::Add(hn::Mul(code, hn::Set(d, grid[1])), hn::Set(d, grid[0]));
  }
  if (tiles.zero_points != nullptr) return Bytes(tiles.zero_points + at);
  return hn::Set(d, tiles.zero_point());
}

// Where a sum of products begins.
HWY_INLINE VI Start(const LowBitTiles& tiles, int64_t at, int32_t start) {
  const VI starts = hn::Set(DI(), start);
  return tiles.own_zero_points() ? hn::Mul(ZeroPoints(tiles, at), starts) : starts;
}

// Four signed activations in every lane.
HWY_INLINE VI Four(const int8_t* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof(four));
  return hn::Set(DI(), four);
}

#if HWY_TARGET == HWY_AVX3
// sums += per lane, the products of its four unsigned codes with four signed activations; exact.
HWY_INLINE void DotVnni(VI& sums, VU codes, const int8_t* x) {
  asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sums.raw) : "v"(codes.raw), "m"(*reinterpret_cast<const int32_t*>(x)));
}
HWY_INLINE VI PairsOfBytes(VU codes, VI x) { return VI{_mm512_maddubs_epi16(codes.raw, x.raw)}; }
HWY_INLINE VI PairsOfWords(VI a, VI b) { return VI{_mm512_madd_epi16(a.raw, b.raw)}; }
HWY_INLINE VI AddWords(VI a, VI b) { return VI{_mm512_add_epi16(a.raw, b.raw)}; }
#elif HWY_TARGET == HWY_AVX2
HWY_INLINE void DotVnni(VI& sums, VU codes, const int8_t* x) {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums.raw) : "x"(codes.raw), "x"(Four(x).raw));
}
HWY_INLINE VI PairsOfBytes(VU codes, VI x) { return VI{_mm256_maddubs_epi16(codes.raw, x.raw)}; }
HWY_INLINE VI PairsOfWords(VI a, VI b) { return VI{_mm256_madd_epi16(a.raw, b.raw)}; }
HWY_INLINE VI AddWords(VI a, VI b) { return VI{_mm256_add_epi16(a.raw, b.raw)}; }
#endif

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
// Fours whose sums of pairs add up in 16 bits: each is at most 2 x 127 x (2^bits - 1).
template <int kBits>
constexpr int kRun = kBits <= 4   ? 8
                     : kBits == 5 ? 4
                     : kBits == 6 ? 2
                                  : 1;

// kBits: what the numbers have, of which there is one in each byte of `codes`. Sums are complete after every kFours.
template <int kBits, int kFour, int kFours = 8>
HWY_INLINE void DotByPairs(VI& sums, VI& run, VU codes, const int8_t* x) {
  const DI d;
  const DU du;
  const hn::Repartition<int16_t, DI> d16;
  const VI four = Four(x + 4 * kFour);
  if constexpr (kBits == 8) {
    // 2 x 127 x 255 is too much for 16 bits: 16-bit operands, even and odd bytes apart.
    const auto halves = hn::BitCast(d16, four);
    const VI even_x = hn::BitCast(d, hn::ShiftRight<8>(hn::ShiftLeft<8>(halves)));
    const VI odd_x = hn::BitCast(d, hn::ShiftRight<8>(halves));
    const VI even = hn::BitCast(d, hn::And(codes, hn::Set(du, 0x00ff00ffu)));
    const VI odd = hn::BitCast(d, hn::And(hn::ShiftRight<8>(codes), hn::Set(du, 0x00ff00ffu)));
    sums = hn::Add(sums, hn::Add(PairsOfWords(even, even_x), PairsOfWords(odd, odd_x)));
  } else {
    const VI pairs = PairsOfBytes(codes, four);
    constexpr int kLength = std::min(kRun<kBits>, kFours);
    run = kFour % kLength == 0 ? pairs : AddWords(run, pairs);
    if constexpr (kFour % kLength == kLength - 1) {
      sums = hn::Add(sums, PairsOfWords(run, hn::Set(d, 0x00010001)));
    }
  }
}
#else
template <int kBits, int kFour, int kFours = 8>
HWY_INLINE void DotByPairs(VI& sums, VI&, VU codes, const int8_t* x) {
  const DI d;
  const DU du;
  const auto byte = [&](VU shifted) { return hn::BitCast(d, hn::And(shifted, hn::Set(du, 0xffu))); };
  sums = hn::Add(sums, hn::Mul(byte(codes), hn::Set(d, x[4 * kFour])));
  sums = hn::Add(sums, hn::Mul(byte(hn::ShiftRight<8>(codes)), hn::Set(d, x[4 * kFour + 1])));
  sums = hn::Add(sums, hn::Mul(byte(hn::ShiftRight<16>(codes)), hn::Set(d, x[4 * kFour + 2])));
  sums = hn::Add(sums, hn::Mul(byte(hn::ShiftRight<24>(codes)), hn::Set(d, x[4 * kFour + 3])));
}
#endif

// The unsigned numbers that codes stand for.
template <int kBits, bool kBook>
struct Numbers {
  // Of those in the book.
  static constexpr int kNumberBits = kBook ? 5 : kBits;
  const ByteBook& book;

  template <int kFour>
  HWY_INLINE VU Of(const uint32_t* words) const {
    const VU codes = Codes<kBits, kFour>(words);
    if constexpr (kBook) return book.Find(codes);
    return codes;
  }
};

// start + the products of a block's 32 numbers with 32 activations.
template <bool kVnni, int kBits, bool kBook>
HWY_INLINE VI DotBlock(const Numbers<kBits, kBook>& numbers, const uint32_t* words, const int8_t* x, VI start) {
  VI other = hn::Zero(DI());
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  if constexpr (kVnni) {
    // Two chains hide the instruction's latency.
    DotVnni(start, numbers.template Of<0>(words), x);
    DotVnni(other, numbers.template Of<1>(words), x + 4);
    DotVnni(start, numbers.template Of<2>(words), x + 8);
    DotVnni(other, numbers.template Of<3>(words), x + 12);
    DotVnni(start, numbers.template Of<4>(words), x + 16);
    DotVnni(other, numbers.template Of<5>(words), x + 20);
    DotVnni(start, numbers.template Of<6>(words), x + 24);
    DotVnni(other, numbers.template Of<7>(words), x + 28);
    return hn::Add(start, other);
  }
#endif
  VI run = other;
  constexpr int kNumberBits = Numbers<kBits, kBook>::kNumberBits;
  DotByPairs<kNumberBits, 0>(start, run, numbers.template Of<0>(words), x);
  DotByPairs<kNumberBits, 1>(start, run, numbers.template Of<1>(words), x);
  DotByPairs<kNumberBits, 2>(start, run, numbers.template Of<2>(words), x);
  DotByPairs<kNumberBits, 3>(start, run, numbers.template Of<3>(words), x);
  DotByPairs<kNumberBits, 4>(start, run, numbers.template Of<4>(words), x);
  DotByPairs<kNumberBits, 5>(start, run, numbers.template Of<5>(words), x);
  DotByPairs<kNumberBits, 6>(start, run, numbers.template Of<6>(words), x);
  DotByPairs<kNumberBits, 7>(start, run, numbers.template Of<7>(words), x);
  return start;
}

// The same of half kHalf of a block.
template <bool kVnni, int kHalf, int kBits>
HWY_INLINE VI DotHalf(const uint32_t* words, const int8_t* x, VI start) {
  constexpr int kFirst = 4 * kHalf;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  if constexpr (kVnni) {
    DotVnni(start, Codes<kBits, kFirst>(words), x + 4 * kFirst);
    DotVnni(start, Codes<kBits, kFirst + 1>(words), x + 4 * kFirst + 4);
    DotVnni(start, Codes<kBits, kFirst + 2>(words), x + 4 * kFirst + 8);
    DotVnni(start, Codes<kBits, kFirst + 3>(words), x + 4 * kFirst + 12);
    return start;
  }
#endif
  VI run = hn::Zero(DI());
  DotByPairs<kBits, kFirst, 4>(start, run, Codes<kBits, kFirst>(words), x);
  DotByPairs<kBits, kFirst + 1, 4>(start, run, Codes<kBits, kFirst + 1>(words), x);
  DotByPairs<kBits, kFirst + 2, 4>(start, run, Codes<kBits, kFirst + 2>(words), x);
  DotByPairs<kBits, kFirst + 3, 4>(start, run, Codes<kBits, kFirst + 3>(words), x);
  return start;
}

// Where two groups share a block.
template <int kBits, bool kVnni>
void Int8HalvesTile(const LowBitTiles& tiles, int64_t tile, const Int8Blocks& x, float* y) {
  const D d;
  const int64_t blocks = tiles.blocks();
  const uint32_t* words = tiles.codes + tile * tiles.tile_words();
  V sums[kParts], others[kParts];
  for (int p = 0; p < kParts; ++p) sums[p] = others[p] = hn::Zero(d);
  int64_t at = tile * tiles.groups * kLowBitTile;
  for (int64_t block = 0; block < blocks; ++block, words += kBits * kLowBitTile, at += 2 * kLowBitTile) {
    PrefetchBlock<kBits>(words);
    const V scale = hn::Set(d, x.scales[block]);
    const int8_t* codes = x.codes + block * kLowBitBlock;
    for (int p = 0; p < kParts; ++p) {
      const int64_t first = at + p * kLanes, second = first + kLowBitTile;
      const VI low = DotHalf<kVnni, 0, kBits>(words + p * kLanes, codes, Start(tiles, first, x.starts[2 * block]));
      const VI high =
          DotHalf<kVnni, 1, kBits>(words + p * kLanes, codes, Start(tiles, second, x.starts[2 * block + 1]));
      sums[p] = hn::MulAdd(hn::ConvertTo(d, low), hn::Mul(Scales(tiles, first), scale), sums[p]);
      others[p] = hn::MulAdd(hn::ConvertTo(d, high), hn::Mul(Scales(tiles, second), scale), others[p]);
    }
  }
  for (int p = 0; p < kParts; ++p) hn::StoreU(hn::Add(sums[p], others[p]), d, y + p * kLanes);
}

template <int kBits, bool kVnni, bool kBook = false>
void Int8Tile(const LowBitTiles& tiles, int64_t tile, const Int8Blocks& x, float* y) {
  const D d;
  const uint32_t* words = tiles.codes + tile * tiles.tile_words();
  const uint8_t none[16] = {};
  const ByteBook book(kBook ? tiles.integers : none);
  const Numbers<kBits, kBook> numbers{book};
  V sums[kParts];
  for (int p = 0; p < kParts; ++p) sums[p] = hn::Zero(d);
  int64_t block = 0;
  for (int64_t group = 0; group < tiles.groups; ++group) {
    const int64_t at = (tile * tiles.groups + group) * kLowBitTile;
    V in_group[kParts];
    for (int p = 0; p < kParts; ++p) in_group[p] = hn::Zero(d);
    for (int64_t end = block + tiles.blocks_a_group; block < end; ++block, words += kBits * kLowBitTile) {
      PrefetchBlock<kBits>(words);
      const V scale = hn::Set(d, x.scales[block]);
      for (int p = 0; p < kParts; ++p) {
        const VI start = Start(tiles, at + p * kLanes, x.starts[block]);
        const VI dot = DotBlock<kVnni>(numbers, words + p * kLanes, x.codes + block * kLowBitBlock, start);
        in_group[p] = hn::MulAdd(hn::ConvertTo(d, dot), scale, in_group[p]);
      }
    }
    for (int p = 0; p < kParts; ++p) {
      const V scale = Scales(tiles, at + p * kLanes);
      sums[p] = hn::MulAdd(in_group[p], scale, sums[p]);
    }
  }
  for (int p = 0; p < kParts; ++p) {
    if (kBook) sums[p] = hn::Mul(sums[p], hn::Set(d, tiles.integer_step));
    hn::StoreU(sums[p], d, y + p * kLanes);
  }
}

// The value of byte kByte of each lane, which holds a code: the code itself, or the number that it stands for.
template <int kByte, CodeValues kValues>
HWY_INLINE V FloatCodes(VU codes, const Book& book) {
  const DU du;
  if constexpr (kValues == CodeValues::kBook) return book.Find(hn::ShiftRight<8 * kByte>(codes));
  const VU byte =
      kByte == 3 ? hn::ShiftRight<24>(codes) : hn::And(hn::ShiftRight<8 * (kByte % 3)>(codes), hn::Set(du, 0xffu));
  if constexpr (kValues == CodeValues::kIntegers) return hn::ConvertTo(D(), hn::BitCast(DI(), byte));
  // As F16 bits, smallest numbers included: E5M2 is F16's upper byte, E4M3 has its exponent and mantissa further down.
  VU half = hn::ShiftLeft<8>(byte);
  if constexpr (kValues == CodeValues::kE4m3) {
    half = hn::Or(hn::And(half, hn::Set(du, 0x8000u)), hn::ShiftLeft<7>(hn::And(byte, hn::Set(du, 0x7fu))));
  }
  const hn::Rebind<uint16_t, D> words;
  const hn::Rebind<hwy::float16_t, D> halves;
  return hn::PromoteTo(D(), hn::BitCast(halves, hn::DemoteTo(words, hn::BitCast(DI(), half))));
}

template <int kBits, int kFour, CodeValues kValues>
HWY_INLINE void MultiplyFour(V* sums, const uint32_t* words, const float* x, const Book& book) {
  const D d;
  const VU codes = Codes<kBits, kFour>(words);
  sums[0] = hn::MulAdd(FloatCodes<0, kValues>(codes, book), hn::Set(d, x[4 * kFour]), sums[0]);
  sums[1] = hn::MulAdd(FloatCodes<1, kValues>(codes, book), hn::Set(d, x[4 * kFour + 1]), sums[1]);
  sums[0] = hn::MulAdd(FloatCodes<2, kValues>(codes, book), hn::Set(d, x[4 * kFour + 2]), sums[0]);
  sums[1] = hn::MulAdd(FloatCodes<3, kValues>(codes, book), hn::Set(d, x[4 * kFour + 3]), sums[1]);
}

// Half kHalf of a block.
template <int kBits, int kHalf, CodeValues kValues>
HWY_INLINE void MultiplyHalf(V* sums, const uint32_t* words, const float* x, const Book& book) {
  MultiplyFour<kBits, 4 * kHalf, kValues>(sums, words, x, book);
  MultiplyFour<kBits, 4 * kHalf + 1, kValues>(sums + 2, words, x, book);
  MultiplyFour<kBits, 4 * kHalf + 2, kValues>(sums, words, x, book);
  MultiplyFour<kBits, 4 * kHalf + 3, kValues>(sums + 2, words, x, book);
}

HWY_INLINE V SumOfFour(const V* sums) { return hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3])); }

template <int kBits, CodeValues kValues>
void FloatTile(const LowBitTiles& tiles, int64_t tile, const float* x, const float* group_sums, const float* values,
               float* y) {
  const D d;
  const Book book(values);
  const uint32_t* first_words = tiles.codes + tile * tiles.tile_words();
  for (int p = 0; p < kParts; ++p) {
    const uint32_t* words = first_words + p * kLanes;
    V sum = hn::Zero(d);
    int64_t block = 0;
    for (int64_t group = 0; group < tiles.groups; ++group) {
      const int64_t at = (tile * tiles.groups + group) * kLowBitTile + p * kLanes;
      V sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      if (kValues == CodeValues::kIntegers) {
        // Codes are unsigned: what their zero point adds is taken off first.
        sums[0] = hn::Mul(hn::ConvertTo(d, ZeroPoints(tiles, at)), hn::Set(d, -group_sums[group]));
      }
      for (int64_t end = block + tiles.blocks_a_group; block < end; ++block, words += kBits * kLowBitTile) {
        PrefetchBlock<kBits>(words);
        MultiplyHalf<kBits, 0, kValues>(sums, words, x + block * kLowBitBlock, book);
        MultiplyHalf<kBits, 1, kValues>(sums, words, x + block * kLowBitBlock, book);
      }
      sum = hn::MulAdd(SumOfFour(sums), Scales(tiles, at), sum);
    }
    hn::StoreU(sum, d, y + p * kLanes);
  }
}

// The same where two groups share a block.
template <int kBits, CodeValues kValues>
void FloatHalvesTile(const LowBitTiles& tiles, int64_t tile, const float* x, const float* group_sums,
                     const float* values, float* y) {
  const D d;
  const Book book(values);
  const int64_t blocks = tiles.blocks();
  const auto begin = [&](int64_t at, int64_t group) {
    return kValues == CodeValues::kIntegers
               ? hn::Mul(hn::ConvertTo(d, ZeroPoints(tiles, at)), hn::Set(d, -group_sums[group]))
               : hn::Zero(d);
  };
  for (int p = 0; p < kParts; ++p) {
    const uint32_t* words = tiles.codes + tile * tiles.tile_words() + p * kLanes;
    int64_t at = tile * tiles.groups * kLowBitTile + p * kLanes;
    V sum = hn::Zero(d), other = hn::Zero(d);
    for (int64_t block = 0; block < blocks; ++block, words += kBits * kLowBitTile, at += 2 * kLowBitTile) {
      PrefetchBlock<kBits>(words);
      V first[4] = {begin(at, 2 * block), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      V second[4] = {begin(at + kLowBitTile, 2 * block + 1), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      MultiplyHalf<kBits, 0, kValues>(first, words, x + block * kLowBitBlock, book);
      MultiplyHalf<kBits, 1, kValues>(second, words, x + block * kLowBitBlock, book);
      sum = hn::MulAdd(SumOfFour(first), Scales(tiles, at), sum);
      other = hn::MulAdd(SumOfFour(second), Scales(tiles, at + kLowBitTile), other);
    }
    hn::StoreU(hn::Add(sum, other), d, y + p * kLanes);
  }
}

// What a group's codes stand for.
template <CodeValues kValues>
struct GroupValues {
  const Book& book;
  V zero_point, scale;

  template <int kByte>
  HWY_INLINE V Of(VU codes) const {
    const V value = FloatCodes<kByte, kValues>(codes, book);
    return hn::Mul(kValues == CodeValues::kIntegers ? hn::Sub(value, zero_point) : value, scale);
  }
};

// Inputs 4 kFour .. 4 kFour + 3 of a block, as far as there are `inputs`.
template <int kBits, int kFour, CodeValues kValues>
HWY_INLINE void DecodeFour(const uint32_t* words, const GroupValues<kValues>& values, int64_t inputs, float* out,
                           int64_t stride) {
  const D d;
  const VU codes = Codes<kBits, kFour>(words);
  const V four[4] = {values.template Of<0>(codes), values.template Of<1>(codes), values.template Of<2>(codes),
                     values.template Of<3>(codes)};
  for (int i = 0; i < 4; ++i) {
    if (4 * kFour + i >= inputs) return;
    hn::StoreU(four[i], d, out + (4 * kFour + i) * stride);
  }
}

template <int kBits, int kHalf, CodeValues kValues>
HWY_INLINE void DecodeHalf(const uint32_t* words, const GroupValues<kValues>& values, int64_t inputs, float* out,
                           int64_t stride) {
  DecodeFour<kBits, 4 * kHalf>(words, values, inputs, out, stride);
  DecodeFour<kBits, 4 * kHalf + 1>(words, values, inputs, out, stride);
  DecodeFour<kBits, 4 * kHalf + 2>(words, values, inputs, out, stride);
  DecodeFour<kBits, 4 * kHalf + 3>(words, values, inputs, out, stride);
}

template <int kBits, CodeValues kValues>
void DecodeBits(const LowBitTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride) {
  const D d;
  const float none[16] = {};
  const Book book(kValues == CodeValues::kBook ? tiles.book : none);
  const uint32_t* words = tiles.codes + tile * tiles.tile_words();
  const auto values_of = [&](int64_t group, int p) {
    const int64_t at = (tile * tiles.groups + group) * kLowBitTile + p * kLanes;
    return GroupValues<kValues>{book, hn::ConvertTo(d, ZeroPoints(tiles, at)), Scales(tiles, at)};
  };
  const bool halves = tiles.blocks_a_group == 0;
  const int64_t blocks = tiles.blocks();
  for (int64_t block = 0; block < blocks; ++block, words += kBits * kLowBitTile) {
    const int64_t left = inputs - block * kLowBitBlock;
    const int64_t group = halves ? 2 * block : block / tiles.blocks_a_group;
    for (int p = 0; p < kParts; ++p) {
      float* to = out + block * kLowBitBlock * stride + p * kLanes;
      DecodeHalf<kBits, 0>(words + p * kLanes, values_of(group, p), left, to, stride);
      DecodeHalf<kBits, 1>(words + p * kLanes, values_of(halves ? group + 1 : group, p), left, to, stride);
    }
  }
}

// Calls run with bits as a type.
template <typename Run>
HWY_INLINE void WithBits(int bits, const Run& run) {
  switch (bits) {
    case 2:
      return run(std::integral_constant<int, 2>());
    case 3:
      return run(std::integral_constant<int, 3>());
    case 4:
      return run(std::integral_constant<int, 4>());
    case 5:
      return run(std::integral_constant<int, 5>());
    case 6:
      return run(std::integral_constant<int, 6>());
    case 7:
      return run(std::integral_constant<int, 7>());
    default:
      return run(std::integral_constant<int, 8>());
  }
}

// All rows by one tile after the other: its codes stay in the first-level cache.
template <int kBits, bool kVnni, bool kBook>
void Int8Tiles(const LowBitTiles& tiles, int64_t first, int64_t count, std::span<const Int8Blocks> x, float* y) {
  const bool halves = !kBook && tiles.blocks_a_group == 0;
  for (int64_t i = 0; i < count; ++i) {
    for (size_t row = 0; row < x.size(); ++row) {
      float* to = y + (row * count + i) * kLowBitTile;
      if (halves) {
        Int8HalvesTile<kBits, kVnni>(tiles, first + i, x[row], to);
      } else {
        Int8Tile<kBits, kVnni, kBook>(tiles, first + i, x[row], to);
      }
    }
  }
}

void TimesInt8(const LowBitTiles& tiles, int64_t first, int64_t count, std::span<const Int8Blocks> x, float* y,
               bool vnni) {
  const auto run = [&](auto bits, auto book) {
    constexpr int kBits = decltype(bits)::value;
    constexpr bool kBook = decltype(book)::value;
    if (vnni) return Int8Tiles<kBits, true, kBook>(tiles, first, count, x, y);
    return Int8Tiles<kBits, false, kBook>(tiles, first, count, x, y);
  };
  if (tiles.values == CodeValues::kBook) return run(std::integral_constant<int, 4>(), std::true_type());
  WithBits(tiles.bits, [&](auto bits) { run(bits, std::false_type()); });
}

template <int kBits, CodeValues kValues>
void FloatTiles(const LowBitTiles& tiles, int64_t first, int64_t count, std::span<const FloatGroups> x,
                const float* book, float* y) {
  const bool halves = tiles.blocks_a_group == 0;
  for (int64_t i = 0; i < count; ++i) {
    for (size_t row = 0; row < x.size(); ++row) {
      float* to = y + (row * count + i) * kLowBitTile;
      if (halves) {
        FloatHalvesTile<kBits, kValues>(tiles, first + i, x[row].x, x[row].sums, book, to);
      } else {
        FloatTile<kBits, kValues>(tiles, first + i, x[row].x, x[row].sums, book, to);
      }
    }
  }
}

void TimesFloat(const LowBitTiles& tiles, int64_t first, int64_t count, std::span<const FloatGroups> x, float* y) {
  float signed_codes[16];
  for (int code = 0; code < 16; ++code) signed_codes[code] = static_cast<float>(code - (1 << (tiles.bits - 1)));
  // With 16 lanes a look-up of signed codes costs less than masking and converting.
  const bool look_up = HWY_TARGET == HWY_AVX3 && !tiles.own_zero_points() && tiles.bits <= 4;
  switch (tiles.values) {
    case CodeValues::kBook:
      return FloatTiles<4, CodeValues::kBook>(tiles, first, count, x, tiles.book, y);
    case CodeValues::kE4m3:
      return FloatTiles<8, CodeValues::kE4m3>(tiles, first, count, x, signed_codes, y);
    case CodeValues::kE5m2:
      return FloatTiles<8, CodeValues::kE5m2>(tiles, first, count, x, signed_codes, y);
    case CodeValues::kIntegers:
      break;
  }
  WithBits(tiles.bits, [&](auto bits) {
    constexpr int kBits = decltype(bits)::value;
    constexpr CodeValues kLookUp = kBits <= 4 ? CodeValues::kBook : CodeValues::kIntegers;
    if (look_up) return FloatTiles<kBits, kLookUp>(tiles, first, count, x, signed_codes, y);
    return FloatTiles<kBits, CodeValues::kIntegers>(tiles, first, count, x, signed_codes, y);
  });
}

void DecodeTile(const LowBitTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride) {
  switch (tiles.values) {
    case CodeValues::kBook:
      return DecodeBits<4, CodeValues::kBook>(tiles, tile, inputs, out, stride);
    case CodeValues::kE4m3:
      return DecodeBits<8, CodeValues::kE4m3>(tiles, tile, inputs, out, stride);
    case CodeValues::kE5m2:
      return DecodeBits<8, CodeValues::kE5m2>(tiles, tile, inputs, out, stride);
    case CodeValues::kIntegers:
      break;
  }
  WithBits(tiles.bits, [&](auto bits) {
    DecodeBits<decltype(bits)::value, CodeValues::kIntegers>(tiles, tile, inputs, out, stride);
  });
}

// One block of up to 32 values.
HWY_INLINE void QuantizeBlock(const float* x, int8_t* codes, float* scale, int32_t* sum) {
  const D d;
  const DI di;
  const hn::Rebind<int8_t, D> bytes;
  V largest = hn::Zero(d);
  for (int i = 0; i < kLowBitBlock; i += kLanes) largest = hn::Max(largest, hn::Abs(hn::LoadU(d, x + i)));
  const float magnitude = hn::GetLane(hn::MaxOfLanes(d, largest));
  *scale = magnitude / 127.0f;
  const V inverse = hn::Set(d, magnitude > 0 ? 127.0f / magnitude : 0.0f);
  VI total = hn::Zero(di);
  for (int i = 0; i < kLowBitBlock; i += kLanes) {
    const VI code = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), inverse));
    total = hn::Add(total, code);
    hn::StoreU(hn::DemoteTo(bytes, code), bytes, codes + i);
  }
  *sum = hn::GetLane(hn::SumOfLanes(di, total));
}

void QuantizeBlocks(const float* x, int64_t inputs, int8_t* codes, float* scales, int32_t* sums) {
  int64_t block = 0;
  for (; (block + 1) * kLowBitBlock <= inputs; ++block) {
    QuantizeBlock(x + block * kLowBitBlock, codes + block * kLowBitBlock, scales + block, sums + block);
  }
  if (block * kLowBitBlock == inputs) return;
  float padded[kLowBitBlock] = {};
  std::copy(x + block * kLowBitBlock, x + inputs, padded);
  QuantizeBlock(padded, codes + block * kLowBitBlock, scales + block, sums + block);
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#endif  // TERSOR_CORE_KERNELS_LOW_BIT_PRODUCT_INL_H_
