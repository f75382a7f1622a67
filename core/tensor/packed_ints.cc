#include "core/tensor/packed_ints.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

absl::Status CheckBits(int bits) {
  if (bits >= kMinPackedBits && bits <= kMaxPackedBits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("bits must be 2 to 8, got ", bits));
}

absl::Status CheckFit(std::span<const uint8_t> values, int bits) {
  unsigned any = 0;
  for (const uint8_t value : values) any |= value;
  if (any >> bits == 0) return absl::OkStatus();
  const auto at = std::find_if(values.begin(), values.end(), [&](uint8_t value) { return value >> bits != 0; });
  return absl::InvalidArgumentError(
      absl::StrCat("value ", int{*at}, " at ", at - values.begin(), " does not fit into ", bits, " bits"));
}

// The element whose lowest bit is bit `position`; it may end in the next byte.
uint8_t ExtractAt(std::span<const std::byte> packed, int64_t position, int bits) {
  const size_t byte = static_cast<size_t>(position / 8);
  uint32_t window = static_cast<uint32_t>(packed[byte]);
  if (byte + 1 < packed.size()) window |= static_cast<uint32_t>(packed[byte + 1]) << 8;
  return static_cast<uint8_t>((window >> (position % 8)) & ((1u << bits) - 1));
}

// Eight elements fill exactly `bits` bytes.
template <int kBits>
void UnpackEights(const std::byte* packed, int64_t eights, uint8_t* values) {
  for (int64_t i = 0; i < eights; ++i) {
    uint64_t window = 0;
    std::memcpy(&window, packed + i * kBits, kBits);
    for (int j = 0; j < 8; ++j) values[i * 8 + j] = static_cast<uint8_t>((window >> (j * kBits)) & ((1u << kBits) - 1));
  }
}

template <int kBits>
void PackEights(const uint8_t* values, int64_t eights, std::byte* packed) {
  if constexpr (kBits == 4) {
    // Two a byte: a plain loop that compilers turn into vectors.
    for (int64_t i = 0; i < eights * 4; ++i) {
      packed[i] = static_cast<std::byte>(values[2 * i] | (values[2 * i + 1] << 4));
    }
  } else {
    for (int64_t i = 0; i < eights; ++i) {
      uint64_t window = 0;
      for (int j = 0; j < 8; ++j) window |= static_cast<uint64_t>(values[i * 8 + j]) << (j * kBits);
      std::memcpy(packed + i * kBits, &window, kBits);
    }
  }
}

template <int kBits>
using Bits = std::integral_constant<int, kBits>;

// run(Bits<bits>()), for bits that CheckBits lets pass.
template <typename Run>
void WithBits(int bits, const Run& run) {
  switch (bits) {
    case 2:
      return run(Bits<2>());
    case 3:
      return run(Bits<3>());
    case 4:
      return run(Bits<4>());
    case 5:
      return run(Bits<5>());
    case 6:
      return run(Bits<6>());
    case 7:
      return run(Bits<7>());
    default:
      return run(Bits<8>());
  }
}

}  // namespace

int64_t PackedBytes(int64_t count, int bits) {
  if (!CheckBits(bits).ok() || count < 0 || count > (int64_t{1} << 59)) return -1;
  return (count * bits + 7) / 8;
}

absl::Status PackInts(std::span<const uint8_t> values, int bits, std::span<std::byte> packed) {
  TERSOR_RETURN_IF_ERROR(CheckBits(bits));
  const int64_t bytes = PackedBytes(static_cast<int64_t>(values.size()), bits);
  if (bytes != static_cast<int64_t>(packed.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat(values.size(), " values of ", bits, " bits take ", bytes, " bytes, not ", packed.size()));
  }
  TERSOR_RETURN_IF_ERROR(CheckFit(values, bits));
  if (values.empty()) return absl::OkStatus();
  const int64_t eights = static_cast<int64_t>(values.size()) / 8;
  WithBits(bits, [&](auto width) { PackEights<width()>(values.data(), eights, packed.data()); });
  uint64_t last = 0;
  for (size_t i = eights * 8; i < values.size(); ++i) last |= static_cast<uint64_t>(values[i]) << (i % 8 * bits);
  std::memcpy(packed.data() + eights * bits, &last, bytes - eights * bits);
  return absl::OkStatus();
}

absl::Status UnpackInts(std::span<const std::byte> packed, int bits, int64_t first, std::span<uint8_t> values) {
  TERSOR_RETURN_IF_ERROR(CheckBits(bits));
  const int64_t count = static_cast<int64_t>(values.size());
  const int64_t held = static_cast<int64_t>(std::min<uint64_t>(packed.size(), uint64_t{1} << 59)) * 8 / bits;
  if (first < 0 || count > held || first > held - count) {
    return absl::OutOfRangeError(absl::StrCat("elements ", first, "..", first + count, " of ", held));
  }
  int64_t done = 0;
  while (done < count && (first + done) % 8 != 0) {
    values[done] = ExtractAt(packed, (first + done) * bits, bits);
    ++done;
  }
  const int64_t eights = (count - done) / 8;
  const std::byte* const from = packed.data() + (first + done) / 8 * bits;
  WithBits(bits, [&](auto width) { UnpackEights<width()>(from, eights, values.data() + done); });
  for (done += eights * 8; done < count; ++done) values[done] = ExtractAt(packed, (first + done) * bits, bits);
  return absl::OkStatus();
}

}  // namespace tersor
