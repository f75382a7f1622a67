// Small unsigned integers in 32-bit words, lowest bits first, as PyTorch checkpoints pack them.
#ifndef TERSOR_CORE_FORMATS_WORD_RUNS_H_
#define TERSOR_CORE_FORMATS_WORD_RUNS_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/tensor/tensor.h"

namespace tersor {

// How a run of values fills its words.
enum class WordPacking {
  // Element i at bit i * bits of the run, across words.
  kDense,
  // floor(32 / bits) values a word; the rest of each word is unused.
  kPadded,
};

// Words of a run of `count` values.
int64_t WordsOf(int64_t count, int bits, WordPacking packing);

// `words` is an I32 matrix [runs, WordsOf(count)], a run in each row: values [runs, count].
// INVALID_ARGUMENT where its type or shape is another, or the bits are not 2..8.
absl::StatusOr<std::vector<uint8_t>> UnpackRows(const Tensor& words, int64_t runs, int64_t count, int bits,
                                                WordPacking packing);

// `words` is an I32 matrix [WordsOf(count), runs], a run in each column: values [runs, count].
absl::StatusOr<std::vector<uint8_t>> UnpackColumns(const Tensor& words, int64_t runs, int64_t count, int bits,
                                                   WordPacking packing);

// The other direction, for writers: values [runs, count] to such matrices.
absl::StatusOr<Tensor> PackIntoRows(const std::vector<uint8_t>& values, int64_t runs, int64_t count, int bits,
                                    WordPacking packing);
absl::StatusOr<Tensor> PackIntoColumns(const std::vector<uint8_t>& values, int64_t runs, int64_t count, int bits,
                                       WordPacking packing);

// [rows, columns] to [columns, rows]; of any type.
absl::StatusOr<Tensor> Transposed(const Tensor& matrix);

// The same for values in memory.
std::vector<uint8_t> Transposed(const std::vector<uint8_t>& values, int64_t rows, int64_t columns);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_WORD_RUNS_H_
