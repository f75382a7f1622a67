#include "core/encoding/group_int_row.h"

#include <algorithm>

#include "core/tensor/float16.h"
#include "core/tensor/packed_ints.h"
#include "core/tensor/vectorized.h"

namespace tersor {
namespace {

// A row's grids, one for each group.
struct RowGrids {
  int64_t groups = 0;
  int64_t group_size = 0;
  const float* scales = nullptr;
  const float* zero_points = nullptr;
};

struct DecodeBytes {
  TERSOR_INLINE void Run(const uint8_t* codes, const RowGrids& grids, float* out) {
    for (int64_t group = 0; group < grids.groups; ++group) {
      const float scale = grids.scales[group], zero_point = grids.zero_points[group];
      for (int64_t i = 0; i < grids.group_size; ++i) out[i] = (static_cast<float>(codes[i]) - zero_point) * scale;
      codes += grids.group_size;
      out += grids.group_size;
    }
  }
};

// Two codes a byte, low nibble first; the group size is even.
struct DecodeNibbles {
  TERSOR_INLINE void Run(const uint8_t* packed, const RowGrids& grids, float* out) {
    for (int64_t group = 0; group < grids.groups; ++group) {
      const float scale = grids.scales[group], zero_point = grids.zero_points[group];
      for (int64_t i = 0; i < grids.group_size / 2; ++i) {
        const int byte = packed[i];
        out[2 * i] = (static_cast<float>(byte & 15) - zero_point) * scale;
        out[2 * i + 1] = (static_cast<float>(byte >> 4) - zero_point) * scale;
      }
      packed += grids.group_size / 2;
      out += grids.group_size;
    }
  }
};

}  // namespace

GroupIntRowDecoder::GroupIntRowDecoder(const GroupIntLayout& layout)
    : layout_(layout),
      codes_(layout.columns),
      zero_point_codes_(layout.columns / layout.group_size),
      scales_(zero_point_codes_.size()),
      zero_points_(zero_point_codes_.size(), static_cast<float>(1 << (layout.bits - 1))) {}

void GroupIntRowDecoder::Decode(const PackedGroupIntRow& row, float* out) {
  const RowGrids grids = {static_cast<int64_t>(scales_.size()), layout_.group_size, scales_.data(),
                          zero_points_.data()};
  F16ToFloats(row.scales.data(), grids.groups, scales_.data());
  // Unpacking cannot fail: the caller's parts have the layout's sizes.
  if (!row.zero_points.empty()) {
    UnpackInts(row.zero_points, layout_.bits, 0, zero_point_codes_).IgnoreError();
    std::copy(zero_point_codes_.begin(), zero_point_codes_.end(), zero_points_.begin());
  }
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(row.codes.data());
  if (layout_.bits == 4 && layout_.group_size % 2 == 0) {
    return RunVectorized<DecodeNibbles, const uint8_t*, const RowGrids&, float*>(bytes, grids, out);
  }
  if (layout_.bits != 8) {
    UnpackInts(row.codes, layout_.bits, 0, codes_).IgnoreError();
    bytes = codes_.data();
  }
  RunVectorized<DecodeBytes, const uint8_t*, const RowGrids&, float*>(bytes, grids, out);
}

}  // namespace tersor
