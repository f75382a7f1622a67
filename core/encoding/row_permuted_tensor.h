// Another order of a matrix's rows.
#ifndef TERSOR_CORE_ENCODING_ROW_PERMUTED_TENSOR_H_
#define TERSOR_CORE_ENCODING_ROW_PERMUTED_TENSOR_H_

#include <vector>

#include "core/encoding/encoded_tensor.h"

namespace tersor {

// Presents `base`, a q or k projection in GGUF's order, in Hugging Face's. GGUF's converter interleaves the two halves
// of each head that rotate_half pairs (row 2i + h of a head is row h * head / 2 + i here); this undoes it while
// decoding, so that mapped weights stay mapped. It passes for a tensor of the base's own encoding: Fields() copies the
// rows into the new order, and what they rebuild needs no permutation. A vector (a bias) is one row of values and comes
// back as a dense copy. INVALID_ARGUMENT where the rows are no multiple of 2 x heads.
absl::StatusOr<EncodedTensorPtr> UnpermuteGgufRows(EncodedTensorPtr base, int64_t heads);

// For writing GGUF: the source row (Hugging Face's order) of each row of a GGUF q or k projection.
std::vector<int64_t> GgufRowSources(int64_t rows, int64_t heads);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_ROW_PERMUTED_TENSOR_H_
