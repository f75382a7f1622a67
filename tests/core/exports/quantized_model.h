// Models for export tests: the tiny Llama with its linear layers rounded to an integer grid.
#ifndef TERSOR_TESTS_CORE_EXPORTS_QUANTIZED_MODEL_H_
#define TERSOR_TESTS_CORE_EXPORTS_QUANTIZED_MODEL_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/encoding/code_book.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/group_scales.h"
#include "core/model/model.h"

namespace tersor {

// Rounded to the nearest code of a grid over each group's range.
EncodedTensorPtr RoundToGroups(const EncodedTensor& tensor, int bits, int64_t group_size, bool symmetric);

// Rounded to a code book's values, each group's largest magnitude to the book's largest; -1: one group a row.
EncodedTensorPtr RoundToBook(const EncodedTensor& tensor, const CodeBook& book, int64_t group_size, ScaleForm scales);

// Replaces every linear layer of the blocks.
void QuantizeBlocks(Model& model, int bits, int64_t group_size, bool symmetric);

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_EXPORTS_QUANTIZED_MODEL_H_
