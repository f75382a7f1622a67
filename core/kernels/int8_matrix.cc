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
#include "core/kernels/scratch.h"
#include "core/kernels/targets.h"
#include "core/kernels/weight_buffer.h"

namespace tersor {
namespace {

using dnnl::memory;

// As for floats: rows are cut into tiles of these sizes, what is left is padded.
constexpr int64_t kTiles[] = {128, 64, 32, 16};
constexpr int64_t kSmallestTile = 16;
// Codes + 128 times weights: 255 x 128 a product.
static_assert(Int8Matrix::kMostInputs * 255 * 128 < int64_t{1} << 31);

int64_t FloatsFor(int64_t bytes) {
  return (bytes + static_cast<int64_t>(sizeof(float)) - 1) / static_cast<int64_t>(sizeof(float));
}

}  // namespace

Int8Engine BestInt8Engine() { return HasVnni() ? Int8Engine::kOneDnn : Int8Engine::kQuads; }

struct Int8Matrix::State {
  Int8Engine engine = Int8Engine::kQuads;
  int64_t outputs = 0;
  int64_t inputs = 0;
  std::vector<float> scales;
  // kOneDnn: the library's layout. kQuads: panels of int8_product.h.
  memory::desc layout;
  WeightBuffer storage;
  // kOneDnn multiplies codes + 128, which are unsigned: what that adds to each output.
  std::vector<int32_t> correction;

  int64_t quads() const { return (inputs + 3) / 4; }
  int64_t quad_panels() const { return (outputs + kQuadPanel - 1) / kQuadPanel; }

  void PackQuads(std::span<const int8_t> codes) {
    const int64_t panel = quads() * 4 * kQuadPanel;
    storage = WeightBuffer(FloatsFor(quad_panels() * panel));
    uint8_t* packed = reinterpret_cast<uint8_t*>(storage.data());
    std::fill_n(packed, quad_panels() * panel, uint8_t{0});
    for (int64_t o = 0; o < outputs; ++o) {
      uint8_t* column = packed + o / kQuadPanel * panel + o % kQuadPanel * 4;
      for (int64_t i = 0; i < inputs; ++i) {
        column[i / 4 * 4 * kQuadPanel + i % 4] = static_cast<uint8_t>(codes[o * inputs + i] + 128);
      }
    }
    scales.resize(quad_panels() * kQuadPanel);
  }

  // Throws dnnl::error.
  void PackForLibrary(std::span<const int8_t> codes) {
    SingleThreadScope one_thread;
    layout = Int8Layout(outputs, inputs);
    storage = WeightBuffer(FloatsFor(static_cast<int64_t>(layout.get_size())));
    const memory::desc rows({inputs, outputs}, memory::data_type::s8, memory::dims{1, inputs});
    memory source(rows, CpuEngine(), const_cast<int8_t*>(codes.data()));
    memory target(layout, CpuEngine(), storage.data());
    dnnl::stream stream(CpuEngine());
    dnnl::reorder(source, target).execute(stream, source, target);
    stream.wait();
    correction.resize(outputs);
    for (int64_t o = 0; o < outputs; ++o) {
      for (int64_t i = 0; i < inputs; ++i) correction[o] += 128 * codes[o * inputs + i];
    }
  }

  // Throws dnnl::error. `rows` is one of kTiles.
  void LibraryTile(int64_t rows, const uint8_t* x, int32_t* sums) {
    const auto matmul = FindInt8Matmul(rows, outputs, inputs);
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

  // Sums of `rows` rows of x, at most 128, and their scales.
  void LibrarySums(const float* x, int64_t x_stride, int64_t rows, int64_t tile, float* row_scales, int32_t* sums) {
    ScratchBuffer scratch(FloatsFor(tile * inputs));
    uint8_t* codes = reinterpret_cast<uint8_t*>(scratch.data());
    for (int64_t row = 0; row < rows; ++row)
      row_scales[row] = QuantizeRow(x + row * x_stride, inputs, codes + row * inputs);
    std::memset(codes + rows * inputs, 0, (tile - rows) * inputs);
    LibraryTile(tile, codes, sums);
  }

  void LibraryRows(const float* x, int64_t x_stride, int64_t rows, int64_t tile, const float* bias, bool accumulate,
                   float* y, int64_t y_stride) {
    ScratchBuffer scratch(tile * (outputs + 1));
    int32_t* sums = reinterpret_cast<int32_t*>(scratch.data());
    float* row_scales = scratch.data() + tile * outputs;
    LibrarySums(x, x_stride, rows, tile, row_scales, sums);
    for (int64_t row = 0; row < rows; ++row) {
      ScaleSums(sums + row * outputs, correction.data(), scales.data(), row_scales[row], bias, accumulate, outputs,
                y + row * y_stride);
    }
  }

  // `rows` is at most 128.
  void OwnRows(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
               int64_t y_stride) {
    const int64_t stride = (inputs + kQuadRowStep - 1) / kQuadRowStep * kQuadRowStep;
    ScratchBuffer code_scratch(FloatsFor(rows * stride)), rest_scratch(rows * stride / 4 * 2), scale_scratch(rows);
    int8_t* codes = reinterpret_cast<int8_t*>(code_scratch.data());
    QuadRest* rests = reinterpret_cast<QuadRest*>(rest_scratch.data());
    std::array<int64_t, kTiles[0] + 1> starts{};
    std::array<int32_t, kTiles[0]> corrections{};
    for (int64_t row = 0; row < rows; ++row) {
      int8_t* row_codes = codes + row * stride;
      scale_scratch.data()[row] = QuantizeRow(x + row * x_stride, inputs, row_codes);
      std::fill(row_codes + inputs, row_codes + stride, int8_t{0});
      corrections[row] = 128 * std::accumulate(row_codes, row_codes + inputs, 0);
      starts[row + 1] = starts[row] + SplitCodes(row_codes, stride, rests + starts[row]);
    }
    const QuadRows quad_rows = {rows, codes, stride, rests, starts.data(), scale_scratch.data(), corrections.data()};
    const uint8_t* panels = reinterpret_cast<const uint8_t*>(storage.data());
    for (int64_t panel = 0; panel < quad_panels(); ++panel) {
      const int64_t first = panel * kQuadPanel;
      QuadProduct(panels + panel * quads() * 4 * kQuadPanel, quads(), quad_rows,
                  {std::min(kQuadPanel, outputs - first), scales.data() + first,
                   bias == nullptr ? nullptr : bias + first, accumulate, y + first, y_stride});
    }
  }
};

Int8Matrix::Int8Matrix() = default;
Int8Matrix::~Int8Matrix() = default;
Int8Matrix::Int8Matrix(Int8Matrix&&) noexcept = default;
Int8Matrix& Int8Matrix::operator=(Int8Matrix&&) noexcept = default;

int64_t Int8Matrix::outputs() const { return state_ ? state_->outputs : 0; }
int64_t Int8Matrix::inputs() const { return state_ ? state_->inputs : 0; }

absl::StatusOr<Int8Matrix> Int8Matrix::Pack(std::span<const int8_t> codes, std::span<const float> scales,
                                            int64_t outputs, int64_t inputs, Int8Engine engine) {
  if (outputs <= 0 || inputs <= 0 || inputs > kMostInputs || static_cast<int64_t>(codes.size()) / outputs != inputs ||
      static_cast<int64_t>(codes.size()) % outputs != 0 || static_cast<int64_t>(scales.size()) != outputs) {
    return absl::InvalidArgumentError(absl::StrCat("cannot pack ", codes.size(), " codes and ", scales.size(),
                                                   " scales as a matrix of ", outputs, " x ", inputs, " (at most ",
                                                   kMostInputs, " inputs)"));
  }
  Int8Matrix matrix;
  matrix.state_ = std::make_unique<State>();
  State& state = *matrix.state_;
  state.engine = engine;
  state.outputs = outputs;
  state.inputs = inputs;
  state.scales.assign(scales.begin(), scales.end());
  if (engine == Int8Engine::kQuads) {
    state.PackQuads(codes);
    return matrix;
  }
  try {
    state.PackForLibrary(codes);
  } catch (const dnnl::error& error) {
    return absl::InternalError(
        absl::StrCat("oneDNN, packing an int8 matrix of ", outputs, " x ", inputs, ": ", error.what()));
  }
  return matrix;
}

absl::Status Int8Matrix::Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate,
                                  float* y, int64_t y_stride) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("multiplication by a matrix that was never packed");
  State& state = *state_;
  try {
    SingleThreadScope one_thread;
    while (rows > 0) {
      const int64_t* tile = std::find_if(std::begin(kTiles), std::end(kTiles), [&](int64_t t) { return t <= rows; });
      const int64_t size = tile == std::end(kTiles) ? kSmallestTile : *tile;
      const int64_t here = std::min(size, rows);
      if (state.engine == Int8Engine::kOneDnn) {
        state.LibraryRows(x, x_stride, here, size, bias, accumulate, y, y_stride);
      } else {
        state.OwnRows(x, x_stride, here, bias, accumulate, y, y_stride);
      }
      rows -= here;
      x += here * x_stride;
      y += here * y_stride;
    }
  } catch (const dnnl::error& error) {
    return absl::InternalError(absl::StrCat("oneDNN, multiplying by an int8 matrix of ", state.outputs, " x ",
                                            state.inputs, ": ", error.what()));
  }
  return absl::OkStatus();
}

float QuantizeInt8Row(const float* x, int64_t inputs, int8_t* codes) { return QuantizeRow(x, inputs, codes); }

}  // namespace tersor
