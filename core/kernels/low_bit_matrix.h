// A weight matrix of 2 to 8-bit codes in groups, multiplied in that form.
#ifndef TERSOR_CORE_KERNELS_LOW_BIT_MATRIX_H_
#define TERSOR_CORE_KERNELS_LOW_BIT_MATRIX_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/row_matrix.h"

namespace tersor {

// What products with single rows are computed in.
enum class RowActivations {
  kFloat32,
  // Rounded to 8 bits in blocks of 32 inputs, as llama.cpp does; products within a block are exact integers.
  kInt8,
  // Rounded to 8 bits with one scale a row, as Int8Matrix does.
  kInt8Token,
};

// value = (code - zero point) * scale, group g of a row being columns g * group_size .. + group_size - 1.
struct LowBitLayout {
  int64_t outputs = 0;
  int64_t inputs = 0;
  // 2 to 8.
  int bits = 4;
  int64_t group_size = 0;
  // Without: the zero point is 2^(bits-1) everywhere.
  bool zero_points = false;
};

// value = (code - zero point) * scale in the same groups, scale and zero point being codes too, of 4 bits at most: of
// each 16 outputs (first 16 t), a group has one least scale and step, and one least zero point and step.
struct LevelLayout {
  int64_t outputs = 0;
  int64_t inputs = 0;
  // 2 to 8.
  int bits = 3;
  int64_t group_size = 0;
};

// Codes that scale = least_scale + code * scale_step, and zero points alike, come from.
struct LevelGrid {
  // F16 bits.
  uint16_t least_scale = 0, scale_step = 0;
  uint8_t least_zero_point = 0, zero_point_step = 0;
};

// value = book[code] * scale, in the same groups.
struct BookLayout {
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t group_size = 0;
  // By code: 16 values of any kind, or the 256 of OCP FP8 E4M3 or E5M2 (NaN for what is no number).
  std::span<const float> book;
};

// Immutable and thread-safe; cheap to move. Rows are interleaved by 16 for streaming: a panel is 16 outputs. It reads
// inputs x bits / 8 bytes of codes, and 2 bytes (with zero points 3, with a book 4, with levels 1.4) a group, for each
// output.
class LowBitMatrix final : public RowMatrix {
 public:
  // Outputs a panel.
  static constexpr int64_t kTile = 16;

  // Whether Pack takes such groups: multiples of 32 inputs, one group a row, or 16 where inputs are a multiple of 32.
  static bool Supports(const LowBitLayout& layout);

  // `read(row, codes, scales, zero_points)` fills in a row: `inputs` unsigned codes, and of every group the bits of its
  // F16 scale and, where the layout has them, its zero point; it is called on `threads` threads. INVALID_ARGUMENT where
  // the layout is not supported.
  using ReadRow = absl::FunctionRef<void(int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales,
                                         std::span<uint8_t> zero_points)>;
  static absl::StatusOr<LowBitMatrix> Pack(const LowBitLayout& layout, RowActivations activations, int threads,
                                           ReadRow read);

  // The same where scales and zero points are codes: `grids` are those of 16 outputs' groups, `levels` a row's: the
  // scale's code + 16 times the zero point's.
  static bool SupportsLevels(const LevelLayout& layout);
  using ReadLevelRow = absl::FunctionRef<void(int64_t row, std::span<uint8_t> codes, std::span<uint8_t> levels)>;
  using ReadLevelGrids = absl::FunctionRef<void(int64_t tile, std::span<LevelGrid> grids)>;
  static absl::StatusOr<LowBitMatrix> PackLevels(const LevelLayout& layout, RowActivations activations, int threads,
                                                 ReadLevelRow read, ReadLevelGrids read_grids);

  // The same for codes that stand for a book's values, with float scales. Integers (kInt8) multiply them where the 16
  // values are small multiples of one of them, as FP4's are, and no group is shorter than 32; kInt8Token never.
  static bool SupportsBook(const BookLayout& layout, RowActivations activations);
  using ReadBookRow = absl::FunctionRef<void(int64_t row, std::span<uint8_t> codes, std::span<float> scales)>;
  static absl::StatusOr<LowBitMatrix> PackBook(const BookLayout& layout, RowActivations activations, int threads,
                                               ReadBookRow read);

  LowBitMatrix();
  ~LowBitMatrix() override;
  LowBitMatrix(LowBitMatrix&&) noexcept;
  LowBitMatrix& operator=(LowBitMatrix&&) noexcept;

  const LowBitLayout& layout() const;
  RowActivations activations() const;
  int64_t outputs() const override;
  int64_t inputs() const override;
  int64_t panels() const override;
  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override;

  // The values, for products over many rows; of the same bits as (code - zero point) * scale or book[code] * scale in
  // float.
  absl::StatusOr<PackedMatrix> Decode(Precision precision, int threads) const {
    return DecodeOutputs(0, outputs(), precision, threads);
  }
  // Those of outputs [first, first + count); `first` is a multiple of 16.
  absl::StatusOr<PackedMatrix> DecodeOutputs(int64_t first, int64_t count, Precision precision, int threads) const;
  // Those of outputs 16 tile .. 16 tile + 15: input k of output i goes to out[k * stride + i], finite numbers where
  // there is no such output.
  void DecodeTile(int64_t tile, float* out, int64_t stride) const;

 private:
  enum class ScaleForm { kF16, kBook, kLevels };
  static LowBitMatrix Allocate(const LowBitLayout& layout, RowActivations activations, ScaleForm form);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_LOW_BIT_MATRIX_H_
