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

// Of 16 outputs' part that begins at `at`.
HWY_INLINE V Scales(const LowBitTiles& tiles, int64_t at) {
  const D d;
  if (tiles.float_scales != nullptr) return hn::LoadU(d, tiles.float_scales + at);
  const hn::Rebind<hwy::float16_t, D> half;
  return hn::PromoteTo(d, hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(tiles.scales + at)));
}

HWY_INLINE VI ZeroPoints(const uint8_t* zero_points) {
  const hn::Rebind<uint8_t, DI> bytes;
  return hn::PromoteTo(DI(), hn::LoadU(bytes, zero_points));
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

template <int kBits, int kFour>
HWY_INLINE void DotByPairs(VI& sums, VI& run, const uint32_t* words, const int8_t* x) {
  const DI d;
  const DU du;
  const hn::Repartition<int16_t, DI> d16;
  const VU codes = Codes<kBits, kFour>(words);
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
    run = kFour % kRun<kBits> == 0 ? pairs : AddWords(run, pairs);
    if constexpr (kFour % kRun<kBits> == kRun<kBits> - 1) {
      sums = hn::Add(sums, PairsOfWords(run, hn::Set(d, 0x00010001)));
    }
  }
}
#else
template <int kBits, int kFour>
HWY_INLINE void DotByPairs(VI& sums, VI&, const uint32_t* words, const int8_t* x) {
  const DI d;
  const DU du;
  const VU codes = Codes<kBits, kFour>(words);
  const auto byte = [&](VU shifted) { return hn::BitCast(d, hn::And(shifted, hn::Set(du, 0xffu))); };
  sums = hn::Add(sums, hn::Mul(byte(codes), hn::Set(d, x[4 * kFour])));
  sums = hn::Add(sums, hn::Mul(byte(hn::ShiftRight<8>(codes)), hn::Set(d, x[4 * kFour + 1])));
  sums = hn::Add(sums, hn::Mul(byte(hn::ShiftRight<16>(codes)), hn::Set(d, x[4 * kFour + 2])));
  sums = hn::Add(sums, hn::Mul(byte(hn::ShiftRight<24>(codes)), hn::Set(d, x[4 * kFour + 3])));
}
#endif

// start + the products of a block's 32 codes with 32 activations.
template <int kBits, bool kVnni>
HWY_INLINE VI DotBlock(const uint32_t* words, const int8_t* x, VI start) {
  VI other = hn::Zero(DI());
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  if constexpr (kVnni) {
    // Two chains hide the instruction's latency.
    DotVnni(start, Codes<kBits, 0>(words), x);
    DotVnni(other, Codes<kBits, 1>(words), x + 4);
    DotVnni(start, Codes<kBits, 2>(words), x + 8);
    DotVnni(other, Codes<kBits, 3>(words), x + 12);
    DotVnni(start, Codes<kBits, 4>(words), x + 16);
    DotVnni(other, Codes<kBits, 5>(words), x + 20);
    DotVnni(start, Codes<kBits, 6>(words), x + 24);
    DotVnni(other, Codes<kBits, 7>(words), x + 28);
    return hn::Add(start, other);
  }
#endif
  VI run = other;
  DotByPairs<kBits, 0>(start, run, words, x);
  DotByPairs<kBits, 1>(start, run, words, x);
  DotByPairs<kBits, 2>(start, run, words, x);
  DotByPairs<kBits, 3>(start, run, words, x);
  DotByPairs<kBits, 4>(start, run, words, x);
  DotByPairs<kBits, 5>(start, run, words, x);
  DotByPairs<kBits, 6>(start, run, words, x);
  DotByPairs<kBits, 7>(start, run, words, x);
  return start;
}

template <int kBits, bool kVnni>
void Int8Tile(const LowBitTiles& tiles, int64_t tile, const Int8Blocks& x, float* y) {
  const D d;
  const DI di;
  const uint32_t* words = tiles.codes + tile * tiles.tile_words();
  const uint8_t* zero_points =
      tiles.zero_points == nullptr ? nullptr : tiles.zero_points + tile * tiles.groups * kLowBitTile;
  V sums[kParts];
  for (int p = 0; p < kParts; ++p) sums[p] = hn::Zero(d);
  int64_t block = 0;
  for (int64_t group = 0; group < tiles.groups; ++group) {
    V in_group[kParts];
    for (int p = 0; p < kParts; ++p) in_group[p] = hn::Zero(d);
    for (int64_t end = block + tiles.blocks_a_group; block < end; ++block, words += kBits * kLowBitTile) {
      const V scale = hn::Set(d, x.scales[block]);
      for (int p = 0; p < kParts; ++p) {
        // Codes are unsigned: what their zero point adds is taken off first.
        VI start;
        if (zero_points == nullptr) {
          start = hn::Set(di, -(1 << (kBits - 1)) * x.sums[block]);
        } else {
          start = hn::Mul(ZeroPoints(zero_points + group * kLowBitTile + p * kLanes), hn::Set(di, -x.sums[block]));
        }
        const VI dot = DotBlock<kBits, kVnni>(words + p * kLanes, x.codes + block * kLowBitBlock, start);
        in_group[p] = hn::MulAdd(hn::ConvertTo(d, dot), scale, in_group[p]);
      }
    }
    for (int p = 0; p < kParts; ++p) {
      const V scale = Scales(tiles, (tile * tiles.groups + group) * kLowBitTile + p * kLanes);
      sums[p] = hn::MulAdd(in_group[p], scale, sums[p]);
    }
  }
  for (int p = 0; p < kParts; ++p) hn::StoreU(sums[p], d, y + p * kLanes);
}

// The value of byte kByte of each lane, which holds a code: the code itself, or what the book has for it.
template <int kByte, bool kBook>
HWY_INLINE V FloatCodes(VU codes, const Book& book) {
  if constexpr (kBook) return book.Find(hn::ShiftRight<8 * kByte>(codes));
  const VU byte =
      kByte == 3 ? hn::ShiftRight<24>(codes) : hn::And(hn::ShiftRight<8 * (kByte % 3)>(codes), hn::Set(DU(), 0xffu));
  return hn::ConvertTo(D(), hn::BitCast(DI(), byte));
}

template <int kBits, int kFour, bool kBook>
HWY_INLINE void MultiplyFour(V* sums, const uint32_t* words, const float* x, const Book& book) {
  const D d;
  const VU codes = Codes<kBits, kFour>(words);
  sums[0] = hn::MulAdd(FloatCodes<0, kBook>(codes, book), hn::Set(d, x[4 * kFour]), sums[0]);
  sums[1] = hn::MulAdd(FloatCodes<1, kBook>(codes, book), hn::Set(d, x[4 * kFour + 1]), sums[1]);
  sums[0] = hn::MulAdd(FloatCodes<2, kBook>(codes, book), hn::Set(d, x[4 * kFour + 2]), sums[0]);
  sums[1] = hn::MulAdd(FloatCodes<3, kBook>(codes, book), hn::Set(d, x[4 * kFour + 3]), sums[1]);
}

template <int kBits, bool kBook>
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
      if (!kBook) {
        // Codes are unsigned: what their zero point adds is taken off first.
        const V zero_point = tiles.zero_points == nullptr ? hn::Set(d, static_cast<float>(1 << (kBits - 1)))
                                                          : hn::ConvertTo(d, ZeroPoints(tiles.zero_points + at));
        sums[0] = hn::Mul(zero_point, hn::Set(d, -group_sums[group]));
      }
      for (int64_t end = block + tiles.blocks_a_group; block < end; ++block, words += kBits * kLowBitTile) {
        const float* block_x = x + block * kLowBitBlock;
        MultiplyFour<kBits, 0, kBook>(sums, words, block_x, book);
        MultiplyFour<kBits, 1, kBook>(sums + 2, words, block_x, book);
        MultiplyFour<kBits, 2, kBook>(sums, words, block_x, book);
        MultiplyFour<kBits, 3, kBook>(sums + 2, words, block_x, book);
        MultiplyFour<kBits, 4, kBook>(sums, words, block_x, book);
        MultiplyFour<kBits, 5, kBook>(sums + 2, words, block_x, book);
        MultiplyFour<kBits, 6, kBook>(sums, words, block_x, book);
        MultiplyFour<kBits, 7, kBook>(sums + 2, words, block_x, book);
      }
      const V total = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
      sum = hn::MulAdd(total, Scales(tiles, at), sum);
    }
    hn::StoreU(sum, d, y + p * kLanes);
  }
}

// What a group's codes stand for.
template <bool kBook>
struct GroupValues {
  const Book& book;
  V zero_point, scale;

  template <int kByte>
  HWY_INLINE V Of(VU codes) const {
    const V value = FloatCodes<kByte, kBook>(codes, book);
    return hn::Mul(kBook ? value : hn::Sub(value, zero_point), scale);
  }
};

// Inputs 4 kFour .. 4 kFour + 3 of a block, as far as there are `inputs`.
template <int kBits, int kFour, bool kBook>
HWY_INLINE void DecodeFour(const uint32_t* words, const GroupValues<kBook>& values, int64_t inputs, float* out,
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

template <int kBits, bool kBook>
void DecodeBits(const LowBitTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride) {
  const D d;
  const float none[16] = {};
  const Book book(kBook ? tiles.book : none);
  const uint32_t* words = tiles.codes + tile * tiles.tile_words();
  int64_t block = 0;
  for (int64_t group = 0; group < tiles.groups; ++group) {
    for (int64_t end = block + tiles.blocks_a_group; block < end; ++block, words += kBits * kLowBitTile) {
      const int64_t left = inputs - block * kLowBitBlock;
      for (int p = 0; p < kParts; ++p) {
        const int64_t at = (tile * tiles.groups + group) * kLowBitTile + p * kLanes;
        const V zero_point = tiles.zero_points == nullptr ? hn::Set(d, static_cast<float>(1 << (kBits - 1)))
                                                          : hn::ConvertTo(d, ZeroPoints(tiles.zero_points + at));
        const GroupValues<kBook> values{book, zero_point, Scales(tiles, at)};
        const uint32_t* part = words + p * kLanes;
        float* to = out + block * kLowBitBlock * stride + p * kLanes;
        DecodeFour<kBits, 0>(part, values, left, to, stride);
        DecodeFour<kBits, 1>(part, values, left, to, stride);
        DecodeFour<kBits, 2>(part, values, left, to, stride);
        DecodeFour<kBits, 3>(part, values, left, to, stride);
        DecodeFour<kBits, 4>(part, values, left, to, stride);
        DecodeFour<kBits, 5>(part, values, left, to, stride);
        DecodeFour<kBits, 6>(part, values, left, to, stride);
        DecodeFour<kBits, 7>(part, values, left, to, stride);
      }
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

void TimesInt8(const LowBitTiles& tiles, int64_t first, int64_t count, const Int8Blocks& x, float* y, bool vnni) {
  WithBits(tiles.bits, [&](auto bits) {
    constexpr int kBits = decltype(bits)::value;
    for (int64_t i = 0; i < count; ++i) {
      if (vnni) {
        Int8Tile<kBits, true>(tiles, first + i, x, y + i * kLowBitTile);
      } else {
        Int8Tile<kBits, false>(tiles, first + i, x, y + i * kLowBitTile);
      }
    }
  });
}

void TimesFloat(const LowBitTiles& tiles, int64_t first, int64_t count, const float* x, const float* sums, float* y) {
  if (tiles.book != nullptr) {
    for (int64_t i = 0; i < count; ++i) {
      FloatTile<4, true>(tiles, first + i, x, sums, tiles.book, y + i * kLowBitTile);
    }
    return;
  }
  // With 16 lanes a look-up of signed codes costs less than masking and converting.
  float signed_codes[16];
  for (int code = 0; code < 16; ++code) signed_codes[code] = static_cast<float>(code - (1 << (tiles.bits - 1)));
  const bool look_up = HWY_TARGET == HWY_AVX3 && tiles.zero_points == nullptr && tiles.bits <= 4;
  WithBits(tiles.bits, [&](auto bits) {
    constexpr int kBits = decltype(bits)::value;
    for (int64_t i = 0; i < count; ++i) {
      if (kBits <= 4 && look_up) {
        FloatTile<kBits, (kBits <= 4)>(tiles, first + i, x, sums, signed_codes, y + i * kLowBitTile);
      } else {
        FloatTile<kBits, false>(tiles, first + i, x, sums, signed_codes, y + i * kLowBitTile);
      }
    }
  });
}

void DecodeTile(const LowBitTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride) {
  if (tiles.book != nullptr) return DecodeBits<4, true>(tiles, tile, inputs, out, stride);
  WithBits(tiles.bits, [&](auto bits) { DecodeBits<decltype(bits)::value, false>(tiles, tile, inputs, out, stride); });
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
