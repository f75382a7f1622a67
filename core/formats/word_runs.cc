#include "core/formats/word_runs.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr int kWordBits = 32;

// Bit of element i of a run, counted from the run's first word.
int64_t BitOf(int64_t i, int bits, WordPacking packing) {
  if (packing == WordPacking::kDense) return i * bits;
  const int64_t per_word = kWordBits / bits;
  return i / per_word * kWordBits + i % per_word * bits;
}

// One run whose words are `stride` words apart.
void UnpackRun(const std::byte* words, int64_t stride, int64_t count, int bits, WordPacking packing, uint8_t* values) {
  const auto word = [&](int64_t index) {
    uint32_t value;
    std::memcpy(&value, words + index * stride * sizeof(value), sizeof(value));
    return value;
  };
  const uint32_t mask = (1u << bits) - 1;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t bit = BitOf(i, bits, packing);
    const int shift = static_cast<int>(bit % kWordBits);
    uint64_t pair = word(bit / kWordBits);
    if (shift + bits > kWordBits) pair |= static_cast<uint64_t>(word(bit / kWordBits + 1)) << kWordBits;
    values[i] = static_cast<uint8_t>(pair >> shift & mask);
  }
}

void PackRun(const uint8_t* values, int64_t count, int bits, WordPacking packing, int64_t stride, uint32_t* words) {
  for (int64_t i = 0; i < count; ++i) {
    const int64_t bit = BitOf(i, bits, packing);
    const int shift = static_cast<int>(bit % kWordBits);
    uint32_t* word = words + bit / kWordBits * stride;
    *word |= static_cast<uint32_t>(values[i]) << shift;
    if (shift + bits > kWordBits) word[stride] |= static_cast<uint32_t>(values[i]) >> (kWordBits - shift);
  }
}

absl::Status CheckWords(const Tensor& words, const Shape& expected, int bits) {
  if (bits < 2 || bits > 8) return absl::InvalidArgumentError(absl::StrCat(bits, " bits; 2 to 8 are supported"));
  if (words.dtype() == DType::kI32 && words.shape() == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("packed words are ", DTypeName(words.dtype()), " ",
                                                 ShapeString(words.shape()), ", expected I32 ", ShapeString(expected)));
}

}  // namespace

int64_t WordsOf(int64_t count, int bits, WordPacking packing) {
  if (packing == WordPacking::kDense) return (count * bits + kWordBits - 1) / kWordBits;
  const int64_t per_word = kWordBits / bits;
  return (count + per_word - 1) / per_word;
}

absl::StatusOr<std::vector<uint8_t>> UnpackRows(const Tensor& words, int64_t runs, int64_t count, int bits,
                                                WordPacking packing) {
  const int64_t width = WordsOf(count, bits, packing);
  TERSOR_RETURN_IF_ERROR(CheckWords(words, {runs, width}, bits));
  std::vector<uint8_t> values(static_cast<size_t>(runs * count));
  for (int64_t run = 0; run < runs; ++run) {
    UnpackRun(words.bytes().data() + run * width * 4, 1, count, bits, packing, values.data() + run * count);
  }
  return values;
}

absl::StatusOr<std::vector<uint8_t>> UnpackColumns(const Tensor& words, int64_t runs, int64_t count, int bits,
                                                   WordPacking packing) {
  TERSOR_RETURN_IF_ERROR(CheckWords(words, {WordsOf(count, bits, packing), runs}, bits));
  std::vector<uint8_t> values(static_cast<size_t>(runs * count));
  for (int64_t run = 0; run < runs; ++run) {
    UnpackRun(words.bytes().data() + run * 4, runs, count, bits, packing, values.data() + run * count);
  }
  return values;
}

absl::StatusOr<Tensor> PackIntoRows(const std::vector<uint8_t>& values, int64_t runs, int64_t count, int bits,
                                    WordPacking packing) {
  const int64_t width = WordsOf(count, bits, packing);
  std::vector<uint32_t> words(static_cast<size_t>(runs * width));
  for (int64_t run = 0; run < runs; ++run) {
    PackRun(values.data() + run * count, count, bits, packing, 1, words.data() + run * width);
  }
  return Tensor::Own(DType::kI32, {runs, width}, std::move(words));
}

absl::StatusOr<Tensor> PackIntoColumns(const std::vector<uint8_t>& values, int64_t runs, int64_t count, int bits,
                                       WordPacking packing) {
  const int64_t height = WordsOf(count, bits, packing);
  std::vector<uint32_t> words(static_cast<size_t>(runs * height));
  for (int64_t run = 0; run < runs; ++run) {
    PackRun(values.data() + run * count, count, bits, packing, runs, words.data() + run);
  }
  return Tensor::Own(DType::kI32, {height, runs}, std::move(words));
}

absl::StatusOr<Tensor> Transposed(const Tensor& matrix) {
  if (matrix.shape().size() != 2) {
    return absl::InvalidArgumentError(absl::StrCat("shape ", ShapeString(matrix.shape()), " is no matrix"));
  }
  const int64_t rows = matrix.shape()[0], columns = matrix.shape()[1];
  const int64_t size = static_cast<int64_t>(DTypeSize(matrix.dtype()));
  const std::byte* from = matrix.bytes().data();
  std::vector<std::byte> bytes(matrix.bytes().size());
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      std::memcpy(bytes.data() + (column * rows + row) * size, from + (row * columns + column) * size, size);
    }
  }
  return Tensor::Own(matrix.dtype(), {columns, rows}, std::move(bytes));
}

std::vector<uint8_t> Transposed(const std::vector<uint8_t>& values, int64_t rows, int64_t columns) {
  std::vector<uint8_t> answer(values.size());
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) answer[column * rows + row] = values[row * columns + column];
  }
  return answer;
}

}  // namespace tersor
