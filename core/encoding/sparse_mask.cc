#include "core/encoding/sparse_mask.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/packed_ints.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// The numbers of `of` bits with `kept` set ones, in rising order.
std::vector<uint8_t> PatternsOf(MaskPattern pattern) {
  std::vector<uint8_t> patterns;
  for (unsigned bits = 0; bits < (1u << pattern.of); ++bits) {
    if (std::popcount(bits) == pattern.kept) patterns.push_back(static_cast<uint8_t>(bits));
  }
  return patterns;
}

int64_t RowBytes(int64_t columns, MaskPattern pattern) {
  return pattern.packs() ? PackedBytes(columns / pattern.of, pattern.bits()) : (columns + 7) / 8;
}

absl::Status CheckPattern(int64_t columns, MaskPattern pattern) {
  if (!pattern.fixed()) return absl::OkStatus();
  if (pattern.kept < 1 || pattern.kept >= pattern.of || columns % pattern.of != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(pattern.kept, " of every ", pattern.of, " columns is no pattern of ", columns, " columns"));
  }
  return absl::OkStatus();
}

absl::StatusOr<MaskPattern> ReadPattern(const nlohmann::json& parameters) {
  if (!parameters.is_object()) return absl::InvalidArgumentError("the parameters are no object");
  if (!parameters.contains("kept") && !parameters.contains("of")) return MaskPattern{};
  TERSOR_ASSIGN_OR_RETURN(const int64_t kept, IntegerParameter(parameters, "kept"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t of, IntegerParameter(parameters, "of"));
  const MaskPattern pattern = {static_cast<int>(std::clamp<int64_t>(kept, 0, 16)),
                               static_cast<int>(std::clamp<int64_t>(of, 0, 16))};
  if (pattern.kept < 1 || pattern.kept >= pattern.of || !pattern.packs()) {
    return absl::InvalidArgumentError(absl::StrCat("patterns of ", kept, " in ", of, " columns are not stored"));
  }
  return pattern;
}

}  // namespace

int MaskPattern::bits() const {
  // Binomial coefficient of `of` over `kept`.
  int64_t patterns = 1;
  for (int i = 1; i <= kept; ++i) patterns = patterns * (of - kept + i) / i;
  return std::max(2, static_cast<int>(std::bit_width(static_cast<uint64_t>(patterns - 1))));
}

uint64_t SparseMask::ByteSize(int64_t rows, int64_t columns, MaskPattern pattern) {
  return static_cast<uint64_t>(rows * RowBytes(columns, pattern));
}

absl::StatusOr<SparseMask> SparseMask::Create(int64_t rows, int64_t columns, std::span<const uint8_t> kept,
                                              MaskPattern pattern) {
  TERSOR_RETURN_IF_ERROR(CheckPattern(columns, pattern));
  if (rows < 1 || columns < 1 || static_cast<int64_t>(kept.size()) / columns != rows) {
    return absl::InvalidArgumentError(absl::StrCat(kept.size(), " marks are no mask of ", rows, " rows"));
  }
  const int64_t row_bytes = RowBytes(columns, pattern);
  std::vector<std::byte> bytes(rows * row_bytes);
  const std::vector<uint8_t> patterns = pattern.packs() ? PatternsOf(pattern) : std::vector<uint8_t>();
  std::vector<uint8_t> numbers(pattern.packs() ? columns / pattern.of : 0);
  for (int64_t row = 0; row < rows; ++row) {
    const uint8_t* marks = kept.data() + row * columns;
    const auto row_of_bytes = std::span<std::byte>(bytes).subspan(row * row_bytes, row_bytes);
    if (!pattern.packs()) {
      for (int64_t i = 0; i < columns; ++i) row_of_bytes[i / 8] |= static_cast<std::byte>(marks[i] << (i % 8));
      continue;
    }
    for (size_t group = 0; group < numbers.size(); ++group) {
      unsigned bits = 0;
      for (int i = 0; i < pattern.of; ++i) bits |= static_cast<unsigned>(marks[group * pattern.of + i]) << i;
      const auto found = std::lower_bound(patterns.begin(), patterns.end(), bits);
      if (found == patterns.end() || *found != bits) {
        return absl::InvalidArgumentError(absl::StrCat("row ", row, " keeps other than ", pattern.kept, " of columns ",
                                                       group * pattern.of, " and the ", pattern.of - 1, " after it"));
      }
      numbers[group] = static_cast<uint8_t>(found - patterns.begin());
    }
    TERSOR_RETURN_IF_ERROR(PackInts(numbers, pattern.bits(), row_of_bytes));
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor stored, Tensor::Own<std::byte>(DType::kU8, {rows, row_bytes}, std::move(bytes)));
  SparseMask mask(rows, columns, pattern.packs() ? pattern : MaskPattern{}, std::move(stored));
  TERSOR_RETURN_IF_ERROR(mask.Count());
  return mask;
}

absl::StatusOr<SparseMask> SparseMask::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                  const nlohmann::json& parameters) {
  if (shape.size() != 2 || ElementCount(shape) < 1) {
    return absl::InvalidArgumentError(absl::StrCat("shape ", ShapeString(shape), " is no matrix"));
  }
  TERSOR_ASSIGN_OR_RETURN(const MaskPattern pattern, ReadPattern(parameters));
  TERSOR_RETURN_IF_ERROR(CheckPattern(shape[1], pattern));
  TERSOR_ASSIGN_OR_RETURN(Tensor stored,
                          TakeField(fields, FieldName(pattern), DType::kU8, {shape[0], RowBytes(shape[1], pattern)}));
  SparseMask mask(shape[0], shape[1], pattern, std::move(stored));
  TERSOR_RETURN_IF_ERROR(mask.Count());
  return mask;
}

// Also refuses bits beyond the last column and numbers of no pattern.
absl::Status SparseMask::Count() {
  starts_.assign(rows_ + 1, 0);
  const int64_t row_bytes = RowBytes(columns_, pattern_);
  const int patterns = pattern_.packs() ? static_cast<int>(PatternsOf(pattern_).size()) : 0;
  std::vector<uint8_t> numbers(pattern_.packs() ? columns_ / pattern_.of : 0);
  for (int64_t row = 0; row < rows_; ++row) {
    const auto bytes = stored_.bytes().subspan(row * row_bytes, row_bytes);
    int64_t kept = 0;
    if (pattern_.packs()) {
      TERSOR_RETURN_IF_ERROR(UnpackInts(bytes, pattern_.bits(), 0, numbers));
      if (std::any_of(numbers.begin(), numbers.end(), [&](int number) { return number >= patterns; })) {
        return absl::InvalidArgumentError(
            absl::StrCat("row ", row, " has a number beyond the ", patterns, " patterns"));
      }
      kept = static_cast<int64_t>(numbers.size()) * pattern_.kept;
    } else {
      for (const std::byte byte : bytes) kept += std::popcount(static_cast<unsigned>(byte));
      if (columns_ % 8 != 0 && static_cast<unsigned>(bytes.back()) >> (columns_ % 8) != 0) {
        return absl::InvalidArgumentError(absl::StrCat("row ", row, " keeps columns beyond the last"));
      }
    }
    starts_[row + 1] = starts_[row] + kept;
  }
  return absl::OkStatus();
}

void SparseMask::BitsOfRow(int64_t row, uint8_t* bits) const {
  const int64_t row_bytes = RowBytes(columns_, pattern_);
  const auto bytes = stored_.bytes().subspan(row * row_bytes, row_bytes);
  if (!pattern_.packs()) {
    std::transform(bytes.begin(), bytes.end(), bits, [](std::byte byte) { return static_cast<uint8_t>(byte); });
    return;
  }
  std::vector<uint8_t> kept(columns_);
  KeptOfRow(row, kept.data());
  std::fill_n(bits, (columns_ + 7) / 8, uint8_t{0});
  for (int64_t i = 0; i < columns_; ++i) bits[i / 8] |= static_cast<uint8_t>(kept[i] << (i % 8));
}

void SparseMask::KeptOfRow(int64_t row, uint8_t* kept) const {
  const int64_t row_bytes = RowBytes(columns_, pattern_);
  const auto bytes = stored_.bytes().subspan(row * row_bytes, row_bytes);
  if (!pattern_.packs()) {
    for (int64_t i = 0; i < columns_; ++i) kept[i] = static_cast<uint8_t>(bytes[i / 8]) >> (i % 8) & 1;
    return;
  }
  const std::vector<uint8_t> patterns = PatternsOf(pattern_);
  std::vector<uint8_t> numbers(columns_ / pattern_.of);
  // Cannot fail: the sizes were checked when the mask was made.
  UnpackInts(bytes, pattern_.bits(), 0, numbers).IgnoreError();
  for (const uint8_t number : numbers) {
    for (int i = 0; i < pattern_.of; ++i) *kept++ = patterns[number] >> i & 1;
  }
}

std::vector<uint8_t> KeptMarks(const EncodedTensor& tensor) {
  const SparseMask* mask = tensor.mask();
  if (mask == nullptr) return {};
  std::vector<uint8_t> marks(mask->rows() * mask->columns());
  for (int64_t row = 0; row < mask->rows(); ++row) mask->KeptOfRow(row, marks.data() + row * mask->columns());
  return marks;
}

EncodedField SparseMask::Field() const { return {std::string(FieldName(pattern_)), stored_}; }

void SparseMask::AddParameters(nlohmann::json& parameters) const {
  if (!pattern_.packs()) return;
  parameters["kept"] = pattern_.kept;
  parameters["of"] = pattern_.of;
}

}  // namespace tersor
