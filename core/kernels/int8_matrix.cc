#include "core/kernels/int8_matrix.h"

#include <algorithm>
#include <cstring>
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

Int8Engine BestInt8Engine() { return HasVnni() ? Int8Engine::kOneDnn : Int8Engine::kPairs; }

struct Int8Matrix::State {
  Int8Engine engine = Int8Engine::kPairs;
  int64_t outputs = 0;
  int64_t inputs = 0;
  std::vector<float> scales;
  // kOneDnn: the library's layout. kPairs: panels of int8_product.h.
  memory::desc layout;
  WeightBuffer storage;
  // kOneDnn multiplies codes + 128, which are unsigned: what that adds to each output.
  std::vector<int32_t> correction;

  int64_t pairs() const { return (inputs + 1) / 2; }

  void PackPairs(std::span<const int8_t> codes) {
    const int64_t panels = (outputs + kPairPanel - 1) / kPairPanel;
    const int64_t size = panels * pairs() * 2 * kPairPanel;
    storage = WeightBuffer(FloatsFor(size * static_cast<int64_t>(sizeof(int16_t))));
    int16_t* packed = reinterpret_cast<int16_t*>(storage.data());
    std::fill_n(packed, size, int16_t{0});
    for (int64_t o = 0; o < outputs; ++o) {
      int16_t* column = packed + o / kPairPanel * pairs() * 2 * kPairPanel + o % kPairPanel * 2;
      for (int64_t i = 0; i < inputs; ++i) column[i / 2 * 2 * kPairPanel + i % 2] = codes[o * inputs + i];
    }
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

  void PairSums(const float* x, int64_t x_stride, int64_t rows, float* row_scales, int32_t* sums) {
    const int64_t stride = pairs() * 2;
    ScratchBuffer scratch(FloatsFor(rows * stride * static_cast<int64_t>(sizeof(int16_t))));
    int16_t* codes = reinterpret_cast<int16_t*>(scratch.data());
    for (int64_t row = 0; row < rows; ++row) {
      row_scales[row] = QuantizeRow(x + row * x_stride, inputs, codes + row * stride);
      if (stride > inputs) codes[row * stride + inputs] = 0;
    }
    const int16_t* panels = reinterpret_cast<const int16_t*>(storage.data());
    const int64_t count = (outputs + kPairPanel - 1) / kPairPanel;
    for (int64_t panel = 0; panel < count; ++panel) {
      PairProduct(panels + panel * stride * kPairPanel, codes, stride, rows, inputs, sums + panel * kPairPanel,
                  count * kPairPanel);
    }
  }

  int64_t SumsStride() const {
    return engine == Int8Engine::kOneDnn ? outputs : (outputs + kPairPanel - 1) / kPairPanel * kPairPanel;
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
  if (engine == Int8Engine::kPairs) {
    state.PackPairs(codes);
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
  const int64_t sums_stride = state.SumsStride();
  const int64_t most = std::min(kTiles[0], (rows + kSmallestTile - 1) / kSmallestTile * kSmallestTile);
  ScratchBuffer scratch(most * (sums_stride + 1));
  int32_t* sums = reinterpret_cast<int32_t*>(scratch.data());
  float* row_scales = scratch.data() + most * sums_stride;
  const int32_t* correction = state.correction.empty() ? nullptr : state.correction.data();
  try {
    SingleThreadScope one_thread;
    while (rows > 0) {
      const int64_t* tile = std::find_if(std::begin(kTiles), std::end(kTiles), [&](int64_t t) { return t <= rows; });
      const int64_t size = tile == std::end(kTiles) ? kSmallestTile : *tile;
      const int64_t here = std::min(size, rows);
      if (state.engine == Int8Engine::kOneDnn) {
        state.LibrarySums(x, x_stride, here, size, row_scales, sums);
      } else {
        state.PairSums(x, x_stride, here, row_scales, sums);
      }
      for (int64_t row = 0; row < here; ++row) {
        ScaleSums(sums + row * sums_stride, correction, state.scales.data(), row_scales[row], bias, accumulate,
                  state.outputs, y + row * y_stride);
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
