#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/float8_tensor.h"
#include "core/model/low_bit_codes.h"

namespace tersor {
namespace {

// The two encodings that a book's codes come in, as a kernel sees them: groups of inputs with a scale in each row.
struct BookWeight {
  const CodeBook* book = nullptr;
  int64_t group_size = 0;
  // Not both null.
  const CodebookTensor* codebook = nullptr;
  const Float8Tensor* float8 = nullptr;

  void CodesOfRow(int64_t row, std::span<uint8_t> codes) const {
    if (float8 != nullptr || book->bits() == 8) {
      const Tensor& bytes = float8 != nullptr ? float8->values() : codebook->codes();
      std::copy_n(reinterpret_cast<const uint8_t*>(bytes.bytes().data()) + row * codes.size(), codes.size(),
                  codes.begin());
      return;
    }
    const int64_t row_bytes = codebook->codes().shape()[1];
    const auto* bytes = reinterpret_cast<const uint8_t*>(codebook->codes().bytes().data()) + row * row_bytes;
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = (bytes[i / 2] >> (4 * (i % 2))) & 15;
  }

  float Scale(int64_t row, int64_t group) const {
    return float8 != nullptr ? float8->Scale(row, group) : codebook->scales().At(row, group);
  }
};

std::optional<BookWeight> WeightOf(const EncodedTensor& weight) {
  if (const auto* codebook = dynamic_cast<const CodebookTensor*>(&weight)) {
    return BookWeight{&codebook->book(), codebook->group_size(), codebook, nullptr};
  }
  const auto* float8 = dynamic_cast<const Float8Tensor*>(&weight);
  if (float8 == nullptr) return std::nullopt;
  // A last block that is cut off is no group.
  const int64_t columns = weight.columns(), group = std::min(float8->block_columns(), columns);
  if (group < 1 || columns % group != 0) return std::nullopt;
  return BookWeight{float8->values().dtype() == DType::kF8E4M3 ? &E4m3Book() : &E5m2Book(), group, nullptr, float8};
}

BookLayout LayoutOf(const WeightRows& rows, const BookWeight& weight) {
  return {rows.outputs, rows.weight->columns(), weight.group_size, weight.book->values()};
}

// Where integers are asked for and the book's values are none, rows are multiplied in float32.
RowActivations ActivationsOf(const BookLayout& layout, const ComputeOptions& options) {
  const bool int8 = options.linears == LinearCompute::kEncodedInt8;
  return int8 && LowBitMatrix::SupportsBook(layout, RowActivations::kInt8) ? RowActivations::kInt8
                                                                           : RowActivations::kFloat32;
}

}  // namespace

bool BookCodesFit(const WeightRows& rows, const ComputeOptions&) {
  const std::optional<BookWeight> weight = WeightOf(*rows.weight);
  return weight.has_value() && LowBitMatrix::SupportsBook(LayoutOf(rows, *weight), RowActivations::kFloat32);
}

absl::StatusOr<LowBitCodes> PackBookCodes(const WeightRows& rows, const ComputeOptions& options) {
  const std::optional<BookWeight> weight = WeightOf(*rows.weight);
  if (!weight.has_value()) return absl::InternalError("no weight of a code book");
  const BookLayout layout = LayoutOf(rows, *weight);
  const RowActivations activations = ActivationsOf(layout, options);
  const auto read = [&](int64_t row, std::span<uint8_t> codes, std::span<float> scales) {
    weight->CodesOfRow(rows.first + row, codes);
    for (size_t group = 0; group < scales.size(); ++group) {
      scales[group] = weight->Scale(rows.first + row, static_cast<int64_t>(group));
    }
  };
  TERSOR_ASSIGN_OR_RETURN(LowBitMatrix matrix, LowBitMatrix::PackBook(layout, activations, options.threads, read));
  const absl::string_view x = activations == RowActivations::kInt8 ? "int8" : "float32";
  return LowBitCodes{std::move(matrix), absl::StrCat(weight->book->name(), " x ", x)};
}

}  // namespace tersor
