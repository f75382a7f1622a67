#include "core/kernels/low_bit_matrix.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/kernels/integer_inputs.h"
#include "core/kernels/low_bit_book.h"
#include "core/kernels/low_bit_product.h"
#include "core/kernels/panel_store.h"
#include "core/kernels/scratch.h"
#include "core/kernels/weight_buffer.h"
#include "core/kernels/worker_pool.h"

namespace tersor {
namespace {

int64_t FloatsFor(int64_t bytes) {
  return (bytes + static_cast<int64_t>(sizeof(float)) - 1) / static_cast<int64_t>(sizeof(float));
}

}  // namespace

static_assert(LowBitMatrix::kTile == kLowBitTile);

struct LowBitMatrix::State {
  LowBitLayout layout;
  RowActivations activations = RowActivations::kFloat32;
  int64_t tiles = 0;
  LowBitTiles view;
  // What `view` points into.
  WeightBuffer codes, scales, zero_points, level_scales, level_zero_points;
  std::array<float, 16> book{};
  BookIntegers integers;

  uint32_t* tile_codes(int64_t tile) { return reinterpret_cast<uint32_t*>(codes.data()) + tile * view.tile_words(); }

  void Allocate(ScaleForm form) {
    const int64_t groups = layout.inputs / layout.group_size;
    const bool halves = layout.group_size < kLowBitBlock && groups > 1;
    view.bits = layout.bits;
    view.groups = groups;
    view.blocks_a_group = halves ? 0 : (layout.group_size + kLowBitBlock - 1) / kLowBitBlock;
    tiles = (layout.outputs + kLowBitTile - 1) / kLowBitTile;
    const int64_t lanes = tiles * groups * kLowBitTile;
    codes = WeightBuffer(tiles * view.tile_words());
    view.codes = reinterpret_cast<const uint32_t*>(codes.data());
    if (form == ScaleForm::kBook) {
      scales = WeightBuffer(lanes);
      view.float_scales = scales.data();
      return;
    }
    if (form == ScaleForm::kLevels) return AllocateLevels(lanes, tiles * groups);
    scales = WeightBuffer(FloatsFor(lanes * static_cast<int64_t>(sizeof(uint16_t))));
    view.scales = reinterpret_cast<const uint16_t*>(scales.data());
    if (!layout.zero_points) return;
    zero_points = WeightBuffer(FloatsFor(lanes));
    view.zero_points = reinterpret_cast<const uint8_t*>(zero_points.data());
  }

  void AllocateLevels(int64_t lanes, int64_t grids) {
    scales = WeightBuffer(FloatsFor(lanes));
    level_scales = WeightBuffer(grids);
    level_zero_points = WeightBuffer(FloatsFor(2 * grids));
    view.levels = reinterpret_cast<const uint8_t*>(scales.data());
    view.level_scales = reinterpret_cast<const uint16_t*>(level_scales.data());
    view.level_zero_points = reinterpret_cast<const uint8_t*>(level_zero_points.data());
  }

  void StoreGrids(int64_t tile, std::span<const LevelGrid> grids) {
    const int64_t first = 2 * tile * view.groups;
    uint16_t* tile_scales = reinterpret_cast<uint16_t*>(level_scales.data()) + first;
    uint8_t* tile_zero_points = reinterpret_cast<uint8_t*>(level_zero_points.data()) + first;
    for (size_t group = 0; group < grids.size(); ++group) {
      tile_scales[2 * group] = grids[group].least_scale;
      tile_scales[2 * group + 1] = grids[group].scale_step;
      tile_zero_points[2 * group] = grids[group].least_zero_point;
      tile_zero_points[2 * group + 1] = grids[group].zero_point_step;
    }
  }

  void SetBook(std::span<const float> values) {
    view.values = *ClassifyBook(values);
    if (view.values != CodeValues::kBook) return;
    std::copy(values.begin(), values.end(), book.begin());
    view.book = book.data();
    integers = IntegersOfBook(values).value_or(BookIntegers());
    view.integers = integers.numbers.data();
    view.integer_zero = integers.zero;
    view.integer_step = integers.step;
  }

  // read(row, codes, scales, zero points) fills in a row. Lanes beyond the last output get scales (or levels) of zero.
  template <typename Scale, typename Read>
  void PackTile(int64_t tile, const Read& read) {
    const int64_t groups = view.groups;
    std::vector<uint8_t> row(view.blocks() * kLowBitBlock), row_zero_points(layout.zero_points ? groups : 0);
    std::vector<Scale> row_scales(groups);
    const int64_t first = tile * groups * kLowBitTile;
    Scale* tile_scales = reinterpret_cast<Scale*>(scales.data()) + first;
    uint8_t* tile_zero_points = layout.zero_points ? reinterpret_cast<uint8_t*>(zero_points.data()) + first : nullptr;
    for (int64_t lane = 0; lane < kLowBitTile; ++lane) {
      const int64_t output = tile * kLowBitTile + lane;
      if (output < layout.outputs) {
        read(output, std::span(row).first(layout.inputs), std::span(row_scales), std::span(row_zero_points));
      } else {
        std::fill(row.begin(), row.end(), uint8_t{0});
        std::fill(row_scales.begin(), row_scales.end(), Scale{0});
        std::fill(row_zero_points.begin(), row_zero_points.end(), uint8_t{0});
      }
      for (int64_t block = 0; block < view.blocks(); ++block) {
        PackLowBitBlock(row.data() + block * kLowBitBlock, layout.bits,
                        tile_codes(tile) + block * layout.bits * kLowBitTile + lane, kLowBitTile);
      }
      for (int64_t group = 0; group < groups; ++group) {
        tile_scales[group * kLowBitTile + lane] = row_scales[group];
        if (layout.zero_points) tile_zero_points[group * kLowBitTile + lane] = row_zero_points[group];
      }
    }
  }

  // Rounds a row of x; see Int8Blocks.
  void Round(const float* x, int8_t* row, float* block_scales, int32_t* sums, int64_t sum_count) const {
    const int64_t blocks = view.blocks();
    if (activations == RowActivations::kInt8) {
      QuantizeInt8Blocks(x, layout.inputs, row, block_scales, sums);
    } else {
      float scale = 0;
      int32_t zero_point = 0, sum = 0;
      RoundToIntegers(IntegerInputs::Token(layout.inputs), layout.inputs, x, /*scratch=*/nullptr,
                      {row, 0, &scale, &zero_point, &sum});
      std::fill_n(block_scales, blocks, scale);
      std::fill(row + layout.inputs, row + blocks * kLowBitBlock, int8_t{0});
    }
    // Rounding in blocks has given their sums already.
    if (activations == RowActivations::kInt8Token || sum_count > blocks) {
      const int64_t length = blocks * kLowBitBlock / sum_count;
      for (int64_t i = 0; i < sum_count; ++i) sums[i] = std::accumulate(row + i * length, row + (i + 1) * length, 0);
    }
    const int factor = view.own_zero_points() ? -1 : -view.zero_point();
    for (int64_t i = 0; i < sum_count; ++i) sums[i] *= factor;
  }

  // y [rows][count x 16] of tiles [first, first + count).
  void TimesInt8(int64_t first, int64_t count, const PanelRows& rows, float* y) const {
    const int64_t blocks = view.blocks();
    const int64_t sum_count = view.blocks_a_group == 0 ? 2 * blocks : blocks;
    const int64_t stride = blocks + sum_count + blocks * kLowBitBlock / 4;
    ScratchBuffer scratch(rows.rows * stride);
    std::vector<Int8Blocks> rounded;
    for (int64_t row = 0; row < rows.rows; ++row) {
      float* block_scales = scratch.data() + row * stride;
      int32_t* sums = reinterpret_cast<int32_t*>(block_scales + blocks);
      int8_t* codes = reinterpret_cast<int8_t*>(sums + sum_count);
      Round(rows.x + row * rows.x_stride, codes, block_scales, sums, sum_count);
      rounded.push_back({codes, block_scales, sums});
    }
    LowBitTimesInt8(view, first, count, rounded, y);
  }

  void TimesFloat(int64_t first, int64_t count, const PanelRows& rows, float* y) const {
    const int64_t padded = view.blocks() * kLowBitBlock;
    const int64_t stride = padded + view.groups;
    ScratchBuffer scratch(rows.rows * stride);
    std::vector<FloatGroups> padded_rows;
    for (int64_t row = 0; row < rows.rows; ++row) {
      const float* x = rows.x + row * rows.x_stride;
      float* to = scratch.data() + row * stride;
      std::fill(std::copy(x, x + layout.inputs, to), to + padded, 0.0f);
      float* sums = to + padded;
      // What a zero point is multiplied by.
      for (int64_t group = 0; group < (view.values == CodeValues::kIntegers ? view.groups : 0); ++group) {
        sums[group] = std::accumulate(x + group * layout.group_size, x + (group + 1) * layout.group_size, 0.0f);
      }
      padded_rows.push_back({to, sums});
    }
    LowBitTimesFloat(view, first, count, padded_rows, y);
  }
};

LowBitMatrix::LowBitMatrix() = default;
LowBitMatrix::~LowBitMatrix() = default;
LowBitMatrix::LowBitMatrix(LowBitMatrix&&) noexcept = default;
LowBitMatrix& LowBitMatrix::operator=(LowBitMatrix&&) noexcept = default;

bool LowBitMatrix::Supports(const LowBitLayout& layout) {
  if (layout.outputs < 1 || layout.inputs < 1 || layout.group_size < 1 || layout.bits < 2 || layout.bits > 8) {
    return false;
  }
  if (layout.inputs % layout.group_size != 0) return false;
  if (layout.group_size == kLowBitBlock / 2)
    return layout.inputs % kLowBitBlock == 0 || layout.inputs == layout.group_size;
  return layout.group_size % kLowBitBlock == 0 || layout.group_size == layout.inputs;
}

bool LowBitMatrix::SupportsLevels(const LevelLayout& layout) {
  return Supports({layout.outputs, layout.inputs, layout.bits, layout.group_size, true});
}

bool LowBitMatrix::SupportsBook(const BookLayout& layout, RowActivations activations) {
  const std::optional<CodeValues> values = ClassifyBook(layout.book);
  if (!values.has_value() || layout.outputs < 1 || layout.inputs < 1 || layout.group_size < 1) return false;
  if (!Supports({layout.outputs, layout.inputs, 8, layout.group_size, false})) return false;
  const bool halves = layout.group_size == kLowBitBlock / 2 && layout.inputs > layout.group_size;
  switch (activations) {
    case RowActivations::kFloat32:
      return !halves || *values == CodeValues::kBook;
    case RowActivations::kInt8:
      return !halves && IntegersOfBook(layout.book).has_value();
    case RowActivations::kInt8Token:
      return false;
  }
  return false;
}

LowBitMatrix LowBitMatrix::Allocate(const LowBitLayout& layout, RowActivations activations, ScaleForm form) {
  LowBitMatrix matrix;
  matrix.state_ = std::make_unique<State>();
  matrix.state_->layout = layout;
  matrix.state_->activations = activations;
  matrix.state_->Allocate(form);
  return matrix;
}

absl::StatusOr<LowBitMatrix> LowBitMatrix::Pack(const LowBitLayout& layout, RowActivations activations, int threads,
                                                ReadRow read) {
  if (!Supports(layout)) {
    return absl::InvalidArgumentError(absl::StrCat("a matrix of ", layout.outputs, " x ", layout.inputs, " with ",
                                                   layout.bits, " bits in groups of ", layout.group_size,
                                                   " has no low-bit kernel"));
  }
  LowBitMatrix matrix = Allocate(layout, activations, ScaleForm::kF16);
  State& state = *matrix.state_;
  RunTasks(threads, state.tiles, [&](int64_t tile) { state.PackTile<uint16_t>(tile, read); });
  return matrix;
}

absl::StatusOr<LowBitMatrix> LowBitMatrix::PackBook(const BookLayout& layout, RowActivations activations, int threads,
                                                    ReadBookRow read) {
  if (!SupportsBook(layout, activations)) {
    return absl::InvalidArgumentError(absl::StrCat("a matrix of ", layout.outputs, " x ", layout.inputs,
                                                   " with a book of ", layout.book.size(), " values in groups of ",
                                                   layout.group_size, " has no kernel for these activations"));
  }
  const int bits = layout.book.size() == 16 ? 4 : 8;
  LowBitMatrix matrix =
      Allocate({layout.outputs, layout.inputs, bits, layout.group_size, false}, activations, ScaleForm::kBook);
  State& state = *matrix.state_;
  state.SetBook(layout.book);
  const float factor = state.view.values == CodeValues::kE4m3 ? kE4m3Factor : 1.0f;
  RunTasks(threads, state.tiles, [&](int64_t tile) {
    state.PackTile<float>(tile,
                          [&](int64_t row, std::span<uint8_t> codes, std::span<float> scales, std::span<uint8_t>) {
                            read(row, codes, scales);
                            for (float& scale : scales) scale *= factor;
                          });
  });
  return matrix;
}

absl::StatusOr<LowBitMatrix> LowBitMatrix::PackLevels(const LevelLayout& layout, RowActivations activations,
                                                      int threads, ReadLevelRow read, ReadLevelGrids read_grids) {
  if (!SupportsLevels(layout) || activations == RowActivations::kInt8Token) {
    return absl::InvalidArgumentError(absl::StrCat("a matrix of ", layout.outputs, " x ", layout.inputs, " with ",
                                                   layout.bits, " bits in groups of ", layout.group_size,
                                                   " with coded scales has no low-bit kernel"));
  }
  LowBitMatrix matrix =
      Allocate({layout.outputs, layout.inputs, layout.bits, layout.group_size, false}, activations, ScaleForm::kLevels);
  State& state = *matrix.state_;
  RunTasks(threads, state.tiles, [&](int64_t tile) {
    state.PackTile<uint8_t>(tile, [&](int64_t row, std::span<uint8_t> codes, std::span<uint8_t> levels,
                                      std::span<uint8_t>) { read(row, codes, levels); });
    std::vector<LevelGrid> grids(state.view.groups);
    read_grids(tile, grids);
    state.StoreGrids(tile, grids);
  });
  return matrix;
}

const LowBitLayout& LowBitMatrix::layout() const { return state_->layout; }
RowActivations LowBitMatrix::activations() const { return state_->activations; }
int64_t LowBitMatrix::outputs() const { return state_ ? state_->layout.outputs : 0; }
int64_t LowBitMatrix::inputs() const { return state_ ? state_->layout.inputs : 0; }
int64_t LowBitMatrix::panels() const { return state_ ? state_->tiles : 1; }

absl::Status LowBitMatrix::MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("multiplication by a matrix that was never packed");
  const int64_t width = count * kLowBitTile;
  ScratchBuffer products(rows.rows * width);
  if (state_->activations == RowActivations::kFloat32) {
    state_->TimesFloat(first, count, rows, products.data());
  } else {
    state_->TimesInt8(first, count, rows, products.data());
  }
  const int64_t begin = first * kLowBitTile;
  StorePanel(products.data(), width, begin, std::min(width, state_->layout.outputs - begin), rows);
  return absl::OkStatus();
}

absl::StatusOr<PackedMatrix> LowBitMatrix::DecodeOutputs(int64_t first, int64_t count, Precision precision,
                                                         int threads) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("decoding of a matrix that was never packed");
  return PackedMatrix::PackTiles(
      count, inputs(), precision, threads, kLowBitTile,
      [&](int64_t tile, float* out, int64_t stride) { DecodeTile(first / kLowBitTile + tile, out, stride); });
}

void LowBitMatrix::DecodeTile(int64_t tile, float* out, int64_t stride) const {
  DecodeLowBitTile(state_->view, tile, state_->layout.inputs, out, stride);
}

}  // namespace tersor
