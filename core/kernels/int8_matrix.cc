#include "core/kernels/int8_matrix.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/kernels/int8_product.h"
#include "core/kernels/matmul_primitives.h"
#include "core/kernels/quad_inputs.h"
#include "core/kernels/scratch.h"
#include "core/kernels/targets.h"
#include "core/kernels/weight_buffer.h"

namespace tersor {
namespace {

using dnnl::memory;

// As for floats: rows are cut into tiles of these sizes, what is left is padded.
constexpr int64_t kTiles[] = {128, 64, 32, 16};
constexpr int64_t kSmallestTile = 16;
static_assert(kTiles[0] <= QuadInputs::kMostRows);
// Codes + 128 times weights: 255 x 128 a product, with both zero points 255 x 255.
static_assert(Int8Matrix::kMostInputs * 255 * 128 < int64_t{1} << 31);
static_assert(Int8Matrix::kMostInputsWithZeroPoints * 255 * 255 < int64_t{1} << 31);

}  // namespace

Int8Engine BestInt8Engine() { return HasVnni() ? Int8Engine::kOneDnn : Int8Engine::kQuads; }

struct Int8Matrix::State {
  Int8Engine engine = Int8Engine::kQuads;
  int64_t outputs = 0;
  IntegerInputs grid;
  // Inputs that have one scale in each output, and in each row.
  int64_t segment = 0;
  // kQuads: in panels as in QuadWeights, [panels][segments][16].
  std::vector<float> scales;
  // Of codes less zero points.
  std::vector<int32_t> sums;
  // kQuads only: 128 + zero point; none where there are no zero points.
  std::vector<int32_t> offsets;
  // What shifts add to each output; none without shifts.
  std::vector<float> constants;
  // kOneDnn: the library's layout. kQuads: panels of int8_product.h.
  memory::desc layout;
  WeightBuffer storage;

  int64_t inputs() const { return grid.inputs; }
  int64_t segments() const { return grid.inputs / segment; }
  int64_t quads() const { return (grid.inputs + 3) / 4; }
  int64_t quad_panels() const { return (outputs + kQuadPanel - 1) / kQuadPanel; }

  // Where a segment's numbers of an output lie.
  int64_t SegmentAt(int64_t output, int64_t s) const {
    if (engine == Int8Engine::kOneDnn) return output;
    return (output / kQuadPanel * segments() + s) * kQuadPanel + output % kQuadPanel;
  }

  void PackNumbers(const Int8Weights& weights) {
    const int64_t slots = engine == Int8Engine::kOneDnn ? outputs : quad_panels() * segments() * kQuadPanel;
    const int64_t groups = inputs() / weights.group_size;
    scales.resize(slots);
    sums.resize(slots);
    if (!weights.zero_points.empty()) offsets.resize(slots);
    for (int64_t o = 0; o < outputs; ++o) {
      const int8_t* codes = weights.codes.data() + o * inputs();
      for (int64_t s = 0; s < segments(); ++s) {
        const int64_t group = o * groups + s * segment / weights.group_size, at = SegmentAt(o, s);
        const int32_t zero_point = weights.zero_points.empty() ? 0 : weights.zero_points[group];
        scales[at] = weights.scales[group];
        sums[at] = std::accumulate(codes + s * segment, codes + (s + 1) * segment, 0) -
                   static_cast<int32_t>(segment) * zero_point;
        if (!offsets.empty()) offsets[at] = 128 + zero_point;
      }
    }
  }

  void PackConstants(const Int8Weights& weights) {
    const int64_t groups = inputs() / weights.group_size;
    constants.resize((outputs + kQuadPanel - 1) / kQuadPanel * kQuadPanel);
    for (int64_t o = 0; o < outputs; ++o) {
      double sum = 0;
      for (int64_t i = 0; i < inputs(); ++i) {
        const int64_t group = o * groups + i / weights.group_size;
        const int code =
            weights.codes[o * inputs() + i] - (weights.zero_points.empty() ? 0 : weights.zero_points[group]);
        sum += static_cast<double>(code) * weights.scales[group] * grid.shifts[i];
      }
      constants[o] = static_cast<float>(sum);
    }
  }

  void PackQuads(std::span<const int8_t> codes) {
    const int64_t panel = quads() * 4 * kQuadPanel;
    storage = WeightBuffer(FloatsFor(quad_panels() * panel));
    uint8_t* packed = reinterpret_cast<uint8_t*>(storage.data());
    std::fill_n(packed, quad_panels() * panel, uint8_t{0});
    for (int64_t o = 0; o < outputs; ++o) {
      uint8_t* column = packed + o / kQuadPanel * panel + o % kQuadPanel * 4;
      for (int64_t i = 0; i < inputs(); ++i) {
        column[i / 4 * 4 * kQuadPanel + i % 4] = static_cast<uint8_t>(codes[o * inputs() + i] + 128);
      }
    }
  }

  // Throws dnnl::error.
  void PackForLibrary(std::span<const int8_t> codes) {
    SingleThreadScope one_thread;
    layout = Int8Layout(outputs, inputs());
    storage = WeightBuffer(FloatsFor(static_cast<int64_t>(layout.get_size())));
    const memory::desc rows({inputs(), outputs}, memory::data_type::s8, memory::dims{1, inputs()});
    memory source(rows, CpuEngine(), const_cast<int8_t*>(codes.data()));
    memory target(layout, CpuEngine(), storage.data());
    dnnl::stream stream(CpuEngine());
    dnnl::reorder(source, target).execute(stream, source, target);
    stream.wait();
  }

  // Throws dnnl::error. `rows` is one of kTiles.
  void LibraryTile(int64_t rows, const uint8_t* x, int32_t* sums) {
    const auto matmul = FindInt8Matmul(rows, outputs, inputs());
    ScratchBuffer scratchpad(FloatsFor(static_cast<int64_t>(matmul->scratchpad.get_size())));
    const dnnl::engine& engine = CpuEngine();
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, memory(matmul->x, engine, const_cast<uint8_t*>(x))},
        {DNNL_ARG_WEIGHTS, memory(matmul->weights, engine, storage.data())},
        {DNNL_ARG_DST, memory(matmul->y, engine, sums)},
        {DNNL_ARG_SCRATCHPAD, memory(matmul->scratchpad, engine, scratchpad.data())}};
    dnnl::stream stream(engine);
    matmul->primitive.execute(stream, arguments);
    stream.wait();
  }

  void LibraryRows(const PanelRows& x, int64_t tile) {
    ScratchBuffer sum_scratch(tile * outputs), code_scratch(FloatsFor(tile * inputs())), scratch(inputs());
    int32_t* row_sums = reinterpret_cast<int32_t*>(sum_scratch.data());
    int8_t* codes = reinterpret_cast<int8_t*>(code_scratch.data());
    std::array<float, kTiles[0]> row_scales{};
    std::array<int32_t, kTiles[0]> zero_points{};
    for (int64_t row = 0; row < x.rows; ++row) {
      int32_t code_sum = 0;
      RoundToIntegers(grid, segment, x.x + row * x.x_stride, scratch.data(),
                      {codes + row * inputs(), 0x80, &row_scales[row], &zero_points[row], &code_sum});
    }
    std::memset(codes + x.rows * inputs(), 0, (tile - x.rows) * inputs());
    LibraryTile(tile, reinterpret_cast<const uint8_t*>(codes), row_sums);
    for (int64_t row = 0; row < x.rows; ++row) {
      ScaleSums({outputs, row_sums + row * outputs, 128 + zero_points[row], sums.data(), scales.data(), row_scales[row],
                 constants.empty() ? nullptr : constants.data(), x.bias, x.accumulate},
                x.y + row * x.y_stride);
    }
  }

  QuadWeights Panel(int64_t panel) const {
    const int64_t first = panel * segments() * kQuadPanel;
    return {reinterpret_cast<const uint8_t*>(storage.data()) + panel * quads() * 4 * kQuadPanel,
            quads(),
            segments(),
            scales.data() + first,
            offsets.empty() ? nullptr : offsets.data() + first,
            sums.data() + first};
  }

  // Outputs of panels [first, first + count); `rows` is at most 128.
  void OwnRows(int64_t first, int64_t count, const PanelRows& operands) {
    const QuadInputs x(grid, segment, operands);
    for (int64_t panel = first; panel < first + count; ++panel) {
      const int64_t output = panel * kQuadPanel;
      QuadProduct(Panel(panel), x.rows(),
                  {std::min(kQuadPanel, outputs - output), constants.empty() ? nullptr : constants.data() + output,
                   operands.bias == nullptr ? nullptr : operands.bias + output, operands.accumulate,
                   operands.y + output, operands.y_stride});
    }
  }
};

Int8Matrix::Int8Matrix() = default;
Int8Matrix::~Int8Matrix() = default;
Int8Matrix::Int8Matrix(Int8Matrix&&) noexcept = default;
Int8Matrix& Int8Matrix::operator=(Int8Matrix&&) noexcept = default;

int64_t Int8Matrix::outputs() const { return state_ ? state_->outputs : 0; }
int64_t Int8Matrix::inputs() const { return state_ ? state_->inputs() : 0; }
int64_t Int8Matrix::panels() const {
  return state_ && state_->engine == Int8Engine::kQuads ? state_->quad_panels() : 1;
}
Int8Engine Int8Matrix::engine() const { return state_ ? state_->engine : BestInt8Engine(); }

bool Int8Matrix::Supports(int64_t inputs, int64_t weight_group, bool weight_zero_points, int64_t input_group) {
  if (weight_group < 1 || input_group < 1 || inputs % weight_group != 0 || inputs % input_group != 0) return false;
  const auto [shorter, longer] = std::minmax(weight_group, input_group);
  if (inputs > (weight_zero_points ? kMostInputsWithZeroPoints : kMostInputs)) return false;
  return longer % shorter == 0 && (shorter == inputs || shorter % 4 == 0);
}

absl::StatusOr<Int8Matrix> Int8Matrix::Pack(const Int8Weights& weights, IntegerInputs inputs, Int8Engine engine) {
  const int64_t outputs = weights.outputs, columns = weights.inputs;
  if (outputs <= 0 || columns <= 0 || columns != inputs.inputs ||
      !Supports(columns, weights.group_size, !weights.zero_points.empty(), inputs.group_size)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot multiply an int8 matrix of ", outputs, " x ", columns,
                                                   " in groups of ", weights.group_size, " by ", inputs.inputs,
                                                   " inputs in groups of ", inputs.group_size));
  }
  const int64_t groups = columns / weights.group_size;
  const auto holds = [&](size_t size, int64_t row) {
    return static_cast<int64_t>(size) % outputs == 0 && static_cast<int64_t>(size) / outputs == row;
  };
  if (!holds(weights.codes.size(), columns) || !holds(weights.scales.size(), groups) ||
      (!weights.zero_points.empty() && !holds(weights.zero_points.size(), groups)) ||
      (!inputs.shifts.empty() && static_cast<int64_t>(inputs.shifts.size()) != columns)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot pack ", weights.codes.size(), " codes and ",
                                                   weights.scales.size(), " scales as a matrix of ", outputs, " x ",
                                                   columns));
  }
  Int8Matrix matrix;
  matrix.state_ = std::make_unique<State>();
  State& state = *matrix.state_;
  state.outputs = outputs;
  state.segment = std::min(weights.group_size, inputs.group_size);
  state.grid = std::move(inputs);
  const bool plain = state.segments() == 1 && weights.zero_points.empty() && state.grid.outlier_threshold == 0;
  state.engine = plain ? engine : Int8Engine::kQuads;
  state.PackNumbers(weights);
  if (!state.grid.shifts.empty()) state.PackConstants(weights);
  if (state.engine == Int8Engine::kQuads) {
    state.PackQuads(weights.codes);
    return matrix;
  }
  try {
    state.PackForLibrary(weights.codes);
  } catch (const dnnl::error& error) {
    return absl::InternalError(
        absl::StrCat("oneDNN, packing an int8 matrix of ", outputs, " x ", columns, ": ", error.what()));
  }
  return matrix;
}

absl::Status Int8Matrix::Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate,
                                  float* y, int64_t y_stride) const {
  return MultiplyPanelRows(0, panels(), {x, x_stride, rows, bias, accumulate, y, y_stride});
}

absl::Status Int8Matrix::MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("multiplication by a matrix that was never packed");
  State& state = *state_;
  PanelRows here = rows;
  try {
    SingleThreadScope one_thread;
    for (int64_t left = rows.rows; left > 0; left -= here.rows) {
      const int64_t* tile = std::find_if(std::begin(kTiles), std::end(kTiles), [&](int64_t t) { return t <= left; });
      const int64_t size = tile == std::end(kTiles) ? kSmallestTile : *tile;
      here.rows = std::min(size, left);
      if (state.engine == Int8Engine::kOneDnn) {
        state.LibraryRows(here, size);
      } else {
        state.OwnRows(first, count, here);
      }
      here.x += here.rows * here.x_stride;
      here.y += here.rows * here.y_stride;
    }
  } catch (const dnnl::error& error) {
    return absl::InternalError(absl::StrCat("oneDNN, multiplying by an int8 matrix of ", state.outputs, " x ",
                                            state.inputs(), ": ", error.what()));
  }
  return absl::OkStatus();
}

}  // namespace tersor
