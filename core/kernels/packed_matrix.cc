#include "core/kernels/packed_matrix.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/kernels/bf16_terms.h"
#include "core/kernels/cpu_info.h"
#include "core/kernels/matmul_primitives.h"
#include "core/kernels/panel_product.h"
#include "core/kernels/panel_store.h"
#include "core/kernels/scratch.h"
#include "core/kernels/vector_ops.h"
#include "core/kernels/weight_buffer.h"
#include "core/kernels/worker_pool.h"

namespace tersor {
namespace {

using dnnl::memory;

// Rows are cut into tiles of these sizes, largest first; what is left under the smallest is padded with zeros.
constexpr int64_t kTiles[] = {256, 128, 64, 32, 16};
constexpr int64_t kSmallestTile = 16;
// Wider ones are left to the library.
constexpr int64_t kWidestPanel = 64;
constexpr int64_t kSplitATask = 1 << 16;

absl::Status FromLibrary(const dnnl::error& error, absl::string_view doing) {
  return absl::InternalError(absl::StrCat("oneDNN, ", doing, ": ", error.what()));
}

absl::Status CheckSize(size_t weights, int64_t rows, int64_t columns) {
  const int64_t count = static_cast<int64_t>(weights);
  if (rows > 0 && columns > 0 && count / rows == columns && count % rows == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot pack ", weights, " weights as a matrix of ", rows, " x ", columns));
}

int64_t FloatsFor(size_t bytes) { return static_cast<int64_t>((bytes + sizeof(float) - 1) / sizeof(float)); }

}  // namespace

struct PackedMatrix::State {
  // Outputs a panel, and what lies between panels in elements; a width of 0 means that the layout has no panels.
  int64_t panel_width = 0;
  int64_t panel_stride = 0;
  Precision precision = Precision::kF32;
  int64_t outputs = 0;
  int64_t inputs = 0;
  memory::desc layout;
  // Packed values: weights that stay, or those that are decoded for a pass and dropped after it.
  struct Values {
    float* data = nullptr;
    WeightBuffer lasting;
    ScratchBuffer passing;
  };
  // One, or one for each term, without the last ones where these are all 0.
  std::vector<Values> values;
  bool lasting = false;

  // bf16 numbers that stand for one of x; 0 for floats.
  int terms() const {
    if (precision == Precision::kF32) return 0;
    return precision == Precision::kBF16 ? 1 : precision == Precision::kTwoTerms ? 2 : kMostBF16Terms;
  }
  Precision operand() const { return terms() > 0 ? Precision::kBF16 : Precision::kF32; }

  float* AddValues() {
    Values& added = values.emplace_back();
    const int64_t floats = FloatsFor(layout.get_size());
    if (lasting) {
      added.lasting = WeightBuffer(floats);
      added.data = added.lasting.data();
    } else {
      added.passing = ScratchBuffer(floats);
      added.data = added.passing.data();
    }
    return added.data;
  }

  // Panels are what the library's layouts come to: blocks of outputs, and in each all inputs one after the other, for
  // bf16 in pairs. A layout that is not so is left to the library.
  void FindPanels() {
    if (terms() > 1) return;
    const memory::dims blocks = layout.get_inner_blks(), indices = layout.get_inner_idxs();
    const memory::dims strides = layout.get_strides();
    const bool pairs = precision == Precision::kBF16;
    if (blocks.size() != (pairs ? 3 : 2) || indices[0] != 0 || indices[1] != 1) return;
    if (pairs && (indices[2] != 0 || blocks[2] != 2)) return;
    const int64_t block = blocks[0] * blocks[1] * (pairs ? 2 : 1);
    if (blocks[1] % 16 != 0 || blocks[1] > kWidestPanel || strides[0] != block) return;
    panel_width = blocks[1];
    panel_stride = strides[1];
  }

  // Puts W^T at these strides into the layout.
  void Lay(const void* from, memory::data_type type, const memory::dims& strides, float* to) const {
    memory source(memory::desc({inputs, outputs}, type, strides), CpuEngine(), const_cast<void*>(from));
    memory target(layout, CpuEngine(), to);
    dnnl::stream stream(CpuEngine());
    dnnl::reorder(source, target).execute(stream, source, target);
    stream.wait();
  }

  // `rows` is one of kTiles; x is of the operand type. y = or += x W^T with the packed values `weights`.
  void RunTile(int64_t rows, const void* x, int64_t x_stride, float* weights, bool accumulate, float* y,
               int64_t y_stride) {
    const auto matmul = FindMatmul({operand(), rows, outputs, inputs, x_stride, y_stride, false, accumulate});
    ScratchBuffer scratchpad(FloatsFor(matmul->scratchpad.get_size()));
    const dnnl::engine& engine = CpuEngine();
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, memory(matmul->x, engine, const_cast<void*>(x))},
        {DNNL_ARG_WEIGHTS, memory(matmul->weights, engine, weights)},
        {DNNL_ARG_DST, memory(matmul->y, engine, y)},
        {DNNL_ARG_SCRATCHPAD, memory(matmul->scratchpad, engine, scratchpad.data())}};
    dnnl::stream stream(engine);
    matmul->primitive.execute(stream, arguments);
    stream.wait();
  }

  // The library's own sums of bias and old values round differently for different numbers of rows (AVX-512): they are
  // added to finished products.
  void AddRows(const float* products, int64_t rows, const float* bias, bool accumulate, float* y, int64_t y_stride) {
    for (int64_t row = 0; row < rows; ++row, products += outputs, y += y_stride) {
      if (bias == nullptr && !accumulate) {
        std::memcpy(y, products, outputs * sizeof(float));
      } else if (bias == nullptr) {
        for (int64_t i = 0; i < outputs; ++i) y[i] += products[i];
      } else if (!accumulate) {
        for (int64_t i = 0; i < outputs; ++i) y[i] = products[i] + bias[i];
      } else {
        for (int64_t i = 0; i < outputs; ++i) y[i] += products[i] + bias[i];
      }
    }
  }

  // Fewer rows than the smallest tile: through a padded copy.
  void RunTail(int64_t rows, const float* x, int64_t x_stride, const float* bias, bool accumulate, float* y,
               int64_t y_stride) {
    ScratchBuffer padded(kSmallestTile * inputs);
    ScratchBuffer products(kSmallestTile * outputs);
    std::fill(padded.data() + rows * inputs, padded.data() + padded.size(), 0.0f);
    for (int64_t row = 0; row < rows; ++row) {
      std::memcpy(padded.data() + row * inputs, x + row * x_stride, inputs * sizeof(float));
    }
    RunRows(kSmallestTile, padded.data(), inputs, products.data(), outputs);
    AddRows(products.data(), rows, bias, accumulate, y, y_stride);
  }

  // A tile of rows with what is added to them.
  void RunSums(int64_t rows, const float* x, int64_t x_stride, const float* bias, bool accumulate, float* y,
               int64_t y_stride) {
    if (bias == nullptr && !accumulate) return RunRows(rows, x, x_stride, y, y_stride);
    ScratchBuffer products(rows * outputs);
    RunRows(rows, x, x_stride, products.data(), outputs);
    AddRows(products.data(), rows, bias, accumulate, y, y_stride);
  }

  // Of terms: products from the smallest to the largest; those that are smaller than what the last term leaves out of a
  // number are left out.
  void RunRows(int64_t rows, const float* x, int64_t x_stride, float* y, int64_t y_stride) {
    if (terms() == 0) return RunTile(rows, x, x_stride, values[0].data, false, y, y_stride);
    const int64_t size = rows * inputs;
    ScratchBuffer converted(FloatsFor(terms() * size * sizeof(uint16_t)));
    uint16_t* const operand = reinterpret_cast<uint16_t*>(converted.data());
    for (int64_t row = 0; row < rows; ++row) {
      SplitToBF16(x + row * x_stride, inputs, terms(), operand + row * inputs, size);
    }
    bool accumulate = false;
    for (int order = terms() - 1; order >= 0; --order) {
      for (int w = std::min(order, static_cast<int>(values.size()) - 1); w >= 0; --w) {
        RunTile(rows, operand + (order - w) * size, inputs, values[w].data, accumulate, y, y_stride);
        accumulate = true;
      }
    }
  }
};

PackedMatrix::PackedMatrix() = default;
PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

int64_t PackedMatrix::outputs() const { return state_ ? state_->outputs : 0; }
int64_t PackedMatrix::inputs() const { return state_ ? state_->inputs : 0; }

absl::StatusOr<PackedMatrix> PackedMatrix::Allocate(int64_t outputs, int64_t inputs, Precision precision,
                                                    bool lasting) {
  if (precision == Precision::kAutomatic) precision = Precision::kF32;
  if (precision != Precision::kF32) TERSOR_RETURN_IF_ERROR(CheckBF16Support());
  PackedMatrix packed;
  packed.state_ = std::make_unique<State>();
  State& state = *packed.state_;
  state.precision = precision;
  state.outputs = outputs;
  state.inputs = inputs;
  state.lasting = lasting;
  try {
    state.layout = PackedLayout(state.operand(), outputs, inputs);
    state.FindPanels();
    state.AddValues();
  } catch (const dnnl::error& error) {
    return FromLibrary(error, absl::StrCat("laying out a matrix of ", outputs, " x ", inputs));
  }
  return packed;
}

absl::Status PackedMatrix::Reorder(const float* values, int64_t input_stride, int64_t output_stride, int threads) {
  State& state = *state_;
  const memory::dims strides = {input_stride, output_stride};
  try {
    SingleThreadScope one_thread;
    if (state.terms() <= 1) {
      state.Lay(values, memory::data_type::f32, strides, state.values[0].data);
      return absl::OkStatus();
    }
    const int64_t count = std::max(state.inputs * input_stride, state.outputs * output_stride);
    ScratchBuffer split(FloatsFor(state.terms() * count * sizeof(uint16_t)));
    uint16_t* const terms = reinterpret_cast<uint16_t*>(split.data());
    RunTasks(threads, (count + kSplitATask - 1) / kSplitATask, [&](int64_t task) {
      const int64_t first = task * kSplitATask;
      SplitToBF16(values + first, std::min(kSplitATask, count - first), state.terms(), terms + first, count);
    });
    state.Lay(terms, memory::data_type::bf16, strides, state.values[0].data);
    const auto is_number = [](uint16_t bits) { return (bits & 0x7fff) != 0; };
    for (const uint16_t* term = terms + count; term < terms + state.terms() * count; term += count) {
      if (std::none_of(term, term + count, is_number)) break;
      state.Lay(term, memory::data_type::bf16, strides, state.AddValues());
    }
  } catch (const dnnl::error& error) {
    return FromLibrary(error, absl::StrCat("packing a matrix of ", state.outputs, " x ", state.inputs));
  }
  return absl::OkStatus();
}

absl::StatusOr<PackedMatrix> PackedMatrix::Pack(std::span<const float> weights, int64_t outputs, int64_t inputs,
                                                Precision precision, bool lasting) {
  TERSOR_RETURN_IF_ERROR(CheckSize(weights.size(), outputs, inputs));
  TERSOR_ASSIGN_OR_RETURN(PackedMatrix packed, Allocate(outputs, inputs, precision, lasting));
  TERSOR_RETURN_IF_ERROR(packed.Reorder(weights.data(), 1, inputs, /*threads=*/1));
  return packed;
}

absl::StatusOr<PackedMatrix> PackedMatrix::PackTransposed(std::span<const float> weights, int64_t rows, int64_t columns,
                                                          Precision precision, bool lasting) {
  TERSOR_RETURN_IF_ERROR(CheckSize(weights.size(), rows, columns));
  TERSOR_ASSIGN_OR_RETURN(PackedMatrix packed, Allocate(columns, rows, precision, lasting));
  TERSOR_RETURN_IF_ERROR(packed.Reorder(weights.data(), columns, 1, /*threads=*/1));
  return packed;
}

absl::StatusOr<PackedMatrix> PackedMatrix::PackTiles(int64_t outputs, int64_t inputs, Precision precision, int threads,
                                                     int64_t tile, FillTile fill) {
  if (outputs <= 0 || inputs <= 0 || tile <= 0 || 16 % tile != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot pack a matrix of ", outputs, " x ", inputs, " by tiles of ", tile));
  }
  TERSOR_ASSIGN_OR_RETURN(PackedMatrix packed, Allocate(outputs, inputs, precision, /*lasting=*/false));
  State& state = *packed.state_;
  const int64_t tiles = (outputs + tile - 1) / tile;
  if (state.precision != Precision::kF32 || state.panel_width == 0) {
    ScratchBuffer values(tiles * tile * inputs);
    RunTasks(threads, tiles, [&](int64_t t) { fill(t, values.data() + t * tile, tiles * tile); });
    TERSOR_RETURN_IF_ERROR(packed.Reorder(values.data(), tiles * tile, 1, threads));
    return packed;
  }
  // A panel is [padded inputs][panel width] itself.
  const int64_t tiles_a_panel = state.panel_width / tile;
  const int64_t padded_inputs = state.layout.get_padded_dims()[0];
  RunTasks(threads, packed.panels(), [&](int64_t panel) {
    float* values = state.values[0].data + panel * state.panel_stride;
    for (int64_t i = 0; i < tiles_a_panel; ++i) {
      const int64_t t = panel * tiles_a_panel + i;
      if (t < tiles) fill(t, values + i * tile, state.panel_width);
      for (int64_t k = t < tiles ? inputs : 0; k < padded_inputs; ++k) {
        std::fill_n(values + k * state.panel_width + i * tile, tile, 0.0f);
      }
    }
  });
  return packed;
}

absl::Status PackedMatrix::Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate,
                                    float* y, int64_t y_stride) const {
  if (state_ == nullptr) return absl::FailedPreconditionError("multiplication by a matrix that was never packed");
  try {
    SingleThreadScope one_thread;
    for (const int64_t tile : kTiles) {
      for (; rows >= tile; rows -= tile, x += tile * x_stride, y += tile * y_stride) {
        state_->RunSums(tile, x, x_stride, bias, accumulate, y, y_stride);
      }
    }
    if (rows > 0) state_->RunTail(rows, x, x_stride, bias, accumulate, y, y_stride);
  } catch (const dnnl::error& error) {
    return FromLibrary(error, absl::StrCat("multiplying by a matrix of ", state_->outputs, " x ", state_->inputs));
  }
  return absl::OkStatus();
}

int64_t PackedMatrix::panels() const {
  if (state_ == nullptr || state_->panel_width == 0) return 1;
  return (state_->outputs + state_->panel_width - 1) / state_->panel_width;
}

absl::Status PackedMatrix::MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const {
  if (state_ == nullptr || state_->panel_width == 0) {
    return Multiply(rows.x, rows.x_stride, rows.rows, rows.bias, rows.accumulate, rows.y, rows.y_stride);
  }
  const State& state = *state_;
  ScratchBuffer scratch(rows.rows * state.panel_width);
  for (int64_t panel = first; panel < first + count; ++panel) {
    const PanelOperands operands = {state.inputs, state.panel_width, rows.x,           rows.x_stride,
                                    rows.rows,    scratch.data(),    state.panel_width};
    if (state.precision == Precision::kF32) {
      PanelProduct(state.values[0].data + panel * state.panel_stride, operands);
    } else {
      PanelProduct(reinterpret_cast<const uint16_t*>(state.values[0].data) + panel * state.panel_stride, operands);
    }
    StorePanel(scratch.data(), state.panel_width, panel * state.panel_width,
               std::min(state.panel_width, state.outputs - panel * state.panel_width), rows);
  }
  return absl::OkStatus();
}

}  // namespace tersor
