#include "core/kernels/sparse_matrix.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kernels/panel_store.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/kernels/targets.h"
#include "core/tensor/float16.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/sparse_matrix.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef TERSOR_SPARSE_MATRIX_TYPES_
#define TERSOR_SPARSE_MATRIX_TYPES_
namespace tersor {

// Inputs of a mask word, and outputs of a panel; outputs that go through the inputs together.
inline constexpr int64_t kSparseBlock = 16, kSparsePanel = 16, kSparseRows = 4;

// Outputs next to each other: each one's words and its first value.
struct SparseOutputs {
  int64_t blocks = 0;
  // [outputs][blocks].
  const uint16_t* masks = nullptr;
  const std::byte* values[kSparseRows] = {};
  // Of codes: [outputs][groups].
  const float* scales = nullptr;
  const float* zero_points = nullptr;
  int64_t groups = 0;
  int64_t blocks_a_group = 0;
};

}  // namespace tersor
#endif  // TERSOR_SPARSE_MATRIX_TYPES_

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kSparseBlock>;
using V = hn::Vec<D>;

constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kParts = static_cast<int>(kSparseBlock) / kLanes;
constexpr uint32_t kLaneBits = (1u << kLanes) - 1;

#if HWY_TARGET <= HWY_AVX3
// The first values of `packed` to the lanes whose bits are set, zero to the others.
HWY_INLINE V Spread(V packed, uint32_t bits) {
  return V{_mm512_maskz_expand_ps(static_cast<__mmask16>(bits), packed.raw)};
}
#else
// For each byte of bits: the place among the set ones of each lane.
struct SpreadTable {
  int32_t lanes[1 << kLanes][kLanes];
  SpreadTable() {
    for (int bits = 0; bits < 1 << kLanes; ++bits) {
      int place = 0;
      for (int lane = 0; lane < kLanes; ++lane) lanes[bits][lane] = (bits >> lane & 1) != 0 ? place++ : 0;
    }
  }
};

HWY_INLINE V Spread(V packed, uint32_t bits) {
  static const SpreadTable table;
  const D d;
  const hn::RebindToSigned<D> di;
  const uint8_t byte[8] = {static_cast<uint8_t>(bits)};
  const V spread = hn::TableLookupLanes(packed, hn::IndicesFromVec(d, hn::LoadU(di, table.lanes[bits])));
  return hn::IfThenElseZero(hn::LoadMaskBits(d, byte), spread);
}
#endif

// kLanes values as floats.
struct LoadF32 {
  static constexpr int64_t kBytes = 4;
  HWY_INLINE V operator()(const std::byte* at) const { return hn::LoadU(D(), reinterpret_cast<const float*>(at)); }
};
struct LoadF16 {
  static constexpr int64_t kBytes = 2;
  HWY_INLINE V operator()(const std::byte* at) const {
    const hn::Rebind<hwy::float16_t, D> half;
    return hn::PromoteTo(D(), hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(at)));
  }
};
struct LoadBF16 {
  static constexpr int64_t kBytes = 2;
  HWY_INLINE V operator()(const std::byte* at) const {
    const hn::Rebind<uint16_t, D> half;
    const hn::RebindToUnsigned<D> word;
    const auto bits = hn::PromoteTo(word, hn::LoadU(half, reinterpret_cast<const uint16_t*>(at)));
    return hn::BitCast(D(), hn::ShiftLeft<16>(bits));
  }
};
struct LoadCodes {
  static constexpr int64_t kBytes = 1;
  HWY_INLINE V operator()(const std::byte* at) const {
    const hn::Rebind<uint8_t, D> byte;
    const hn::RebindToSigned<D> word;
    return hn::ConvertTo(D(), hn::PromoteTo(word, hn::LoadU(byte, reinterpret_cast<const uint8_t*>(at))));
  }
};

// Adds the products of `blocks` blocks of each output to its sums; values go on from where they stand.
template <int kRows, typename Load>
HWY_INLINE void AddBlocks(const uint16_t* const* masks, const std::byte** values, const V* zeros, int64_t blocks,
                          const float* x, V (&sums)[kRows]) {
  const D d;
  const Load load;
  for (int64_t block = 0; block < blocks; ++block) {
    for (int part = 0; part < kParts; ++part) {
      const V inputs = hn::LoadU(d, x + block * kSparseBlock + part * kLanes);
      for (int row = 0; row < kRows; ++row) {
        const uint32_t bits = static_cast<uint32_t>(masks[row][block]) >> (part * kLanes) & kLaneBits;
        V packed = load(values[row]);
        if (zeros != nullptr) packed = hn::Sub(packed, zeros[row]);
        sums[row] = hn::MulAdd(Spread(packed, bits), inputs, sums[row]);
        values[row] += std::popcount(bits) * Load::kBytes;
      }
    }
  }
}

template <int kRows, typename Load>
void MultiplyOutputs(const SparseOutputs& outputs, const float* x, float* y) {
  const D d;
  const uint16_t* masks[kRows];
  const std::byte* values[kRows];
  V sums[kRows];
  for (int row = 0; row < kRows; ++row) {
    masks[row] = outputs.masks + row * outputs.blocks;
    values[row] = outputs.values[row];
    sums[row] = hn::Zero(d);
  }
  if constexpr (Load::kBytes > 1) {
    AddBlocks<kRows, Load>(masks, values, nullptr, outputs.blocks, x, sums);
  } else {
    for (int64_t group = 0; group < outputs.groups; ++group) {
      V zeros[kRows], products[kRows];
      for (int row = 0; row < kRows; ++row) {
        zeros[row] = hn::Set(d, outputs.zero_points[row * outputs.groups + group]);
        products[row] = hn::Zero(d);
      }
      AddBlocks<kRows, Load>(masks, values, zeros, outputs.blocks_a_group, x, products);
      x += outputs.blocks_a_group * kSparseBlock;
      for (int row = 0; row < kRows; ++row) {
        masks[row] += outputs.blocks_a_group;
        sums[row] = hn::MulAdd(products[row], hn::Set(d, outputs.scales[row * outputs.groups + group]), sums[row]);
      }
    }
  }
  for (int row = 0; row < kRows; ++row) y[row] = hn::GetLane(hn::SumOfLanes(d, sums[row]));
}

template <int kRows>
void MultiplyKind(SparseValues kind, const SparseOutputs& outputs, const float* x, float* y) {
  switch (kind) {
    case SparseValues::kF32:
      return MultiplyOutputs<kRows, LoadF32>(outputs, x, y);
    case SparseValues::kF16:
      return MultiplyOutputs<kRows, LoadF16>(outputs, x, y);
    case SparseValues::kBF16:
      return MultiplyOutputs<kRows, LoadBF16>(outputs, x, y);
    case SparseValues::kCodes:
      return MultiplyOutputs<kRows, LoadCodes>(outputs, x, y);
  }
}

// `count` outputs, 1 or kSparseRows.
void SparseProduct(SparseValues kind, const SparseOutputs& outputs, int64_t count, const float* x, float* y) {
  if (count == kSparseRows) {
    MultiplyKind<kSparseRows>(kind, outputs, x, y);
  } else {
    MultiplyKind<1>(kind, outputs, x, y);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(SparseProduct);

namespace {

int64_t BytesOf(SparseValues kind) {
  switch (kind) {
    case SparseValues::kF32:
      return 4;
    case SparseValues::kF16:
    case SparseValues::kBF16:
      return 2;
    case SparseValues::kCodes:
      return 1;
  }
  return 0;
}

void AppendHalf(uint16_t half, std::vector<std::byte>& bytes) {
  bytes.push_back(static_cast<std::byte>(half & 255));
  bytes.push_back(static_cast<std::byte>(half >> 8));
}

}  // namespace

struct SparseMatrix::State {
  SparseShape shape;
  int64_t blocks = 0, groups = 0, blocks_a_group = 0;
  // [outputs][blocks]: bit i of a word is input i of the block.
  std::vector<uint16_t> masks;
  // Of each panel of outputs: its values one output after another, and as many bytes more as a vector may read beyond.
  std::vector<std::vector<std::byte>> values;
  // First byte of each output in its panel's.
  std::vector<int64_t> starts;
  // [outputs][groups].
  std::vector<float> scales, zero_points;

  void PackPanel(int64_t panel, ReadRow read) {
    SparseRow row;
    row.kept.resize(shape.inputs);
    row.scales.resize(groups);
    row.zero_points.resize(groups);
    std::vector<std::byte>& bytes = values[panel];
    const int64_t end = std::min(shape.outputs, (panel + 1) * kSparsePanel);
    for (int64_t output = panel * kSparsePanel; output < end; ++output) {
      row.values.clear();
      row.codes.clear();
      read(output, row);
      starts[output] = static_cast<int64_t>(bytes.size());
      for (int64_t i = 0; i < shape.inputs; ++i) {
        masks[output * blocks + i / kSparseBlock] |= static_cast<uint16_t>(row.kept[i] << (i % kSparseBlock));
      }
      AppendValues(row, bytes);
      std::copy(row.scales.begin(), row.scales.end(), scales.begin() + output * groups);
      std::copy(row.zero_points.begin(), row.zero_points.end(), zero_points.begin() + output * groups);
    }
    bytes.resize(bytes.size() + kSparseBlock * sizeof(float));
    bytes.shrink_to_fit();
  }

  void AppendValues(const SparseRow& row, std::vector<std::byte>& bytes) const {
    for (const uint8_t code : row.codes) bytes.push_back(static_cast<std::byte>(code));
    for (const float value : row.values) {
      if (shape.values == SparseValues::kF32) {
        const auto* raw = reinterpret_cast<const std::byte*>(&value);
        bytes.insert(bytes.end(), raw, raw + sizeof(float));
      } else {
        AppendHalf(shape.values == SparseValues::kF16 ? FloatToF16(value) : FloatToBF16(value), bytes);
      }
    }
  }

  float ValueAt(const std::byte* at, int64_t output, int64_t input) const {
    uint16_t half = 0;
    float value = 0;
    switch (shape.values) {
      case SparseValues::kF32:
        std::memcpy(&value, at, sizeof(value));
        return value;
      case SparseValues::kF16:
      case SparseValues::kBF16:
        std::memcpy(&half, at, sizeof(half));
        return shape.values == SparseValues::kF16 ? F16ToFloat(half) : BF16ToFloat(half);
      case SparseValues::kCodes: {
        const int64_t grid = output * groups + input / shape.group_size;
        return (static_cast<float>(*at) - zero_points[grid]) * scales[grid];
      }
    }
    return value;
  }

  // All inputs of an output, at a stride.
  void DecodeOutput(int64_t output, float* out, int64_t stride) const {
    const std::byte* at = values[output / kSparsePanel].data() + starts[output];
    for (int64_t i = 0; i < shape.inputs; ++i) {
      const bool kept = (masks[output * blocks + i / kSparseBlock] >> (i % kSparseBlock) & 1) != 0;
      out[i * stride] = kept ? ValueAt(at, output, i) : 0.0f;
      at += kept ? BytesOf(shape.values) : 0;
    }
  }

  void MultiplyPanel(int64_t panel, const float* x, float* y) const {
    const int64_t end = std::min(shape.outputs, (panel + 1) * kSparsePanel);
    for (int64_t output = panel * kSparsePanel; output < end;) {
      const int64_t count = output + kSparseRows <= end ? kSparseRows : 1;
      SparseOutputs outputs = {.blocks = blocks, .masks = masks.data() + output * blocks};
      for (int64_t row = 0; row < count; ++row) outputs.values[row] = values[panel].data() + starts[output + row];
      outputs.scales = scales.data() + output * groups;
      outputs.zero_points = zero_points.data() + output * groups;
      outputs.groups = groups;
      outputs.blocks_a_group = blocks_a_group;
      HWY_DYNAMIC_DISPATCH(SparseProduct)(shape.values, outputs, count, x, y + output - panel * kSparsePanel);
      output += count;
    }
  }
};

SparseMatrix::SparseMatrix() = default;
SparseMatrix::~SparseMatrix() = default;
SparseMatrix::SparseMatrix(SparseMatrix&&) noexcept = default;
SparseMatrix& SparseMatrix::operator=(SparseMatrix&&) noexcept = default;

bool SparseMatrix::Supports(const SparseShape& shape) {
  if (shape.outputs < 1 || shape.inputs < 1) return false;
  if (shape.values != SparseValues::kCodes || shape.group_size == shape.inputs) return true;
  return shape.group_size > 0 && shape.group_size % kSparseBlock == 0 && shape.inputs % shape.group_size == 0;
}

absl::StatusOr<SparseMatrix> SparseMatrix::Pack(const SparseShape& shape, int threads, ReadRow read) {
  if (!Supports(shape)) {
    return absl::InvalidArgumentError(absl::StrCat("a sparse matrix of ", shape.outputs, " x ", shape.inputs,
                                                   " in groups of ", shape.group_size, " has no kernel"));
  }
  SparseMatrix matrix;
  matrix.state_ = std::make_unique<State>();
  State& state = *matrix.state_;
  state.shape = shape;
  state.blocks = (shape.inputs + kSparseBlock - 1) / kSparseBlock;
  state.groups = shape.values == SparseValues::kCodes ? shape.inputs / shape.group_size : 0;
  state.blocks_a_group = state.groups > 0 ? (shape.group_size + kSparseBlock - 1) / kSparseBlock : 0;
  state.masks.resize(shape.outputs * state.blocks);
  state.values.resize((shape.outputs + kSparsePanel - 1) / kSparsePanel);
  state.starts.resize(shape.outputs);
  state.scales.resize(shape.outputs * state.groups);
  state.zero_points.resize(shape.outputs * state.groups);
  RunTasks(threads, matrix.panels(), [&](int64_t panel) { state.PackPanel(panel, read); });
  return matrix;
}

int64_t SparseMatrix::outputs() const { return state_ ? state_->shape.outputs : 0; }
int64_t SparseMatrix::inputs() const { return state_ ? state_->shape.inputs : 0; }
int64_t SparseMatrix::panels() const { return state_ ? static_cast<int64_t>(state_->values.size()) : 1; }

int64_t SparseMatrix::byte_size() const {
  if (state_ == nullptr) return 0;
  int64_t bytes = static_cast<int64_t>(state_->masks.size() * sizeof(uint16_t) + state_->scales.size() * 8);
  for (const std::vector<std::byte>& panel : state_->values) bytes += static_cast<int64_t>(panel.size());
  return bytes;
}

absl::Status SparseMatrix::MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("multiplication by a matrix that was never packed");
  LimitTargets();
  const State& state = *state_;
  const int64_t width = count * kSparsePanel, padded = state.blocks * kSparseBlock;
  ScratchBuffer scratch(rows.rows * width + padded);
  float* const products = scratch.data();
  float* const x = products + rows.rows * width;
  for (int64_t row = 0; row < rows.rows; ++row) {
    const float* from = rows.x + row * rows.x_stride;
    std::fill(std::copy(from, from + state.shape.inputs, x), x + padded, 0.0f);
    for (int64_t panel = 0; panel < count; ++panel) {
      state.MultiplyPanel(first + panel, x, products + row * width + panel * kSparsePanel);
    }
  }
  const int64_t begin = first * kSparsePanel;
  StorePanel(products, width, begin, std::min(width, state.shape.outputs - begin), rows);
  return absl::OkStatus();
}

absl::StatusOr<PackedMatrix> SparseMatrix::DecodeOutputs(int64_t first, int64_t count, Precision precision,
                                                         int threads) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("decoding of a matrix that was never packed");
  const State& state = *state_;
  return PackedMatrix::PackTiles(count, state.shape.inputs, precision, threads, kSparsePanel,
                                 [&](int64_t tile, float* out, int64_t stride) {
                                   for (int64_t i = 0; i < kSparsePanel; ++i) {
                                     const int64_t output = first + tile * kSparsePanel + i;
                                     if (output < state.shape.outputs) {
                                       state.DecodeOutput(output, out + i, stride);
                                     } else {
                                       for (int64_t k = 0; k < state.shape.inputs; ++k) out[k * stride + i] = 0;
                                     }
                                   }
                                 });
}

}  // namespace tersor
#endif  // HWY_ONCE
