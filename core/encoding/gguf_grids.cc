#include "core/encoding/gguf_grids.h"

namespace tersor {
namespace {

#include "core/encoding/gguf_grids.inc"

constexpr std::array<int8_t, 3> kLevels1 = {-1, 0, 1};
constexpr std::array<int8_t, 3> kLevels2 = {8, 25, 43};
constexpr std::array<int8_t, 8> kLevels3XXS = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr std::array<int8_t, 8> kLevels3S = {1, 3, 5, 7, 9, 11, 13, 15};

template <size_t Values, size_t Rows, size_t Levels>
constexpr GgufGrid<Rows, Values> Unpack(const uint16_t (&words)[Rows], const std::array<int8_t, Levels>& levels) {
  constexpr int kBits = Levels <= 4 ? 2 : 3;
  GgufGrid<Rows, Values> grid = {};
  for (size_t row = 0; row < Rows; ++row) {
    for (size_t i = 0; i < Values; ++i) grid[row][i] = levels[words[row] >> (kBits * i) & ((1 << kBits) - 1)];
  }
  return grid;
}

}  // namespace

constinit const GgufGrid<256, 8> kGgufGrid2XXS = Unpack<8>(kPacked2XXS, kLevels2);
constinit const GgufGrid<512, 8> kGgufGrid2XS = Unpack<8>(kPacked2XS, kLevels2);
constinit const GgufGrid<1024, 8> kGgufGrid2S = Unpack<8>(kPacked2S, kLevels2);
constinit const GgufGrid<256, 4> kGgufGrid3XXS = Unpack<4>(kPacked3XXS, kLevels3XXS);
constinit const GgufGrid<512, 4> kGgufGrid3S = Unpack<4>(kPacked3S, kLevels3S);
constinit const GgufGrid<2048, 8> kGgufGrid1 = Unpack<8>(kPacked1, kLevels1);

}  // namespace tersor
