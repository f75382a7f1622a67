#include "core/kernels/bit_plane_matrix.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/kernels/bit_plane_product.h"
#include "core/kernels/panel_store.h"
#include "core/kernels/scratch.h"
#include "core/kernels/weight_buffer.h"
#include "core/kernels/worker_pool.h"

namespace tersor {

struct BitPlaneMatrix::State {
  BitPlaneShape shape;
  int64_t tiles = 0;
  BitPlaneTiles view;
  // What `view` points into.
  WeightBuffer signs, scales;

  int64_t blocks() const { return view.groups * view.blocks_a_group; }

  // Lanes beyond the last output get zero scales.
  void PackTile(int64_t tile, ReadRow read) {
    const int64_t planes = shape.planes;
    uint32_t* words = reinterpret_cast<uint32_t*>(signs.data()) + tile * blocks() * planes * kPlaneTile;
    uint16_t* tile_scales = reinterpret_cast<uint16_t*>(scales.data()) + tile * view.groups * planes * kPlaneTile;
    std::vector<uint8_t> codes(blocks() * kPlaneBlock);
    std::vector<uint16_t> row_scales(view.groups * planes);
    for (int64_t lane = 0; lane < kPlaneTile; ++lane) {
      const int64_t output = tile * kPlaneTile + lane;
      if (output < shape.outputs) {
        read(output, std::span(codes).first(shape.inputs), row_scales);
      } else {
        std::fill(row_scales.begin(), row_scales.end(), uint16_t{0});
      }
      for (int64_t block = 0; block < blocks(); ++block) {
        for (int64_t plane = 0; plane < planes; ++plane) {
          uint32_t word = 0;
          for (int64_t i = 0; i < kPlaneBlock; ++i) {
            word |= static_cast<uint32_t>(codes[block * kPlaneBlock + i] >> plane & 1) << i;
          }
          words[(block * planes + plane) * kPlaneTile + lane] = word;
        }
      }
      for (int64_t i = 0; i < view.groups * planes; ++i) tile_scales[i * kPlaneTile + lane] = row_scales[i];
    }
  }
};

BitPlaneMatrix::BitPlaneMatrix() = default;
BitPlaneMatrix::~BitPlaneMatrix() = default;
BitPlaneMatrix::BitPlaneMatrix(BitPlaneMatrix&&) noexcept = default;
BitPlaneMatrix& BitPlaneMatrix::operator=(BitPlaneMatrix&&) noexcept = default;

bool BitPlaneMatrix::Supports(const BitPlaneShape& shape) {
  if (shape.outputs < 1 || shape.inputs < 1 || shape.planes < 1 || shape.planes > 8 || shape.group_size < 1) {
    return false;
  }
  if (shape.inputs % shape.group_size != 0) return false;
  return shape.group_size % kPlaneBlock == 0 || shape.group_size == shape.inputs;
}

absl::StatusOr<BitPlaneMatrix> BitPlaneMatrix::Pack(const BitPlaneShape& shape, int threads, ReadRow read) {
  if (!Supports(shape)) {
    return absl::InvalidArgumentError(absl::StrCat("a matrix of ", shape.outputs, " x ", shape.inputs, " with ",
                                                   shape.planes, " planes in groups of ", shape.group_size,
                                                   " has no look-up kernel"));
  }
  BitPlaneMatrix matrix;
  matrix.state_ = std::make_unique<State>();
  State& state = *matrix.state_;
  state.shape = shape;
  state.tiles = (shape.outputs + kPlaneTile - 1) / kPlaneTile;
  state.view.planes = shape.planes;
  state.view.groups = shape.inputs / shape.group_size;
  state.view.blocks_a_group = (shape.group_size + kPlaneBlock - 1) / kPlaneBlock;
  state.signs = WeightBuffer(state.tiles * state.blocks() * shape.planes * kPlaneTile);
  // Two F16 numbers a float; a tile has an even number of them.
  state.scales = WeightBuffer(state.tiles * state.view.groups * shape.planes * kPlaneTile / 2);
  state.view.signs = reinterpret_cast<const uint32_t*>(state.signs.data());
  state.view.scales = reinterpret_cast<const uint16_t*>(state.scales.data());
  RunTasks(threads, state.tiles, [&](int64_t tile) { state.PackTile(tile, read); });
  return matrix;
}

const BitPlaneShape& BitPlaneMatrix::shape() const { return state_->shape; }
int64_t BitPlaneMatrix::outputs() const { return state_ ? state_->shape.outputs : 0; }
int64_t BitPlaneMatrix::inputs() const { return state_ ? state_->shape.inputs : 0; }
int64_t BitPlaneMatrix::panels() const { return state_ ? state_->tiles : 1; }

absl::Status BitPlaneMatrix::MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("multiplication by a matrix that was never packed");
  const State& state = *state_;
  const int64_t padded = state.blocks() * kPlaneBlock;
  const int64_t tables = padded / kPlaneTable;
  const int64_t width = count * kPlaneTile;
  // Inputs beyond the last are zeros: their signs do not matter.
  ScratchBuffer scratch(tables * kPlaneTableSums + rows.rows * width + padded);
  float* products = scratch.data() + tables * kPlaneTableSums;
  float* x = products + rows.rows * width;
  for (int64_t row = 0; row < rows.rows; ++row) {
    const float* from = rows.x + row * rows.x_stride;
    std::fill(std::copy(from, from + state.shape.inputs, x), x + padded, 0.0f);
    FillPlaneTables(x, tables, scratch.data());
    BitPlanesTimesTables(state.view, first, count, scratch.data(), products + row * width);
  }
  const int64_t begin = first * kPlaneTile;
  StorePanel(products, width, begin, std::min(width, state.shape.outputs - begin), rows);
  return absl::OkStatus();
}

absl::StatusOr<PackedMatrix> BitPlaneMatrix::DecodeOutputs(int64_t first, int64_t count, Precision precision,
                                                           int threads) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("decoding of a matrix that was never packed");
  const State& state = *state_;
  return PackedMatrix::PackTiles(
      count, state.shape.inputs, precision, threads, kPlaneTile, [&](int64_t tile, float* out, int64_t stride) {
        DecodeBitPlaneTile(state.view, first / kPlaneTile + tile, state.shape.inputs, out, stride);
      });
}

}  // namespace tersor
