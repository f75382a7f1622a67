// Which weights of a matrix are kept and which are zero.
#ifndef TERSOR_CORE_ENCODING_SPARSE_MASK_H_
#define TERSOR_CORE_ENCODING_SPARSE_MASK_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/tensor/tensor.h"
#include "nlohmann/json_fwd.hpp"

namespace tersor {

// Of every `of` neighbouring columns `kept` are kept (N:M sparsity); `of` 0: any.
struct MaskPattern {
  int kept = 0;
  int of = 0;

  bool fixed() const { return of > 0; }
  // Bits of a pattern's number, at least 2.
  int bits() const;
  // Whether numbers of patterns take fewer bytes than a bit for each column.
  bool packs() const { return fixed() && of <= 8 && bits() < of; }
};

// Stored as one field. "mask" U8 [rows, ceil(columns / 8)]: bit i of a row, lowest first, is set where column i is
// kept. Or, for a pattern that packs, "patterns" U8 [rows, PackedBytes(columns / of, bits)]: for every `of` columns the
// number of their bits among all numbers of `of` bits with `kept` set bits, in rising order; parameters {"kept": 2,
// "of": 4}. Immutable and thread-safe.
class SparseMask {
 public:
  // `kept` [rows, columns] holds 1 for kept columns, else 0. INVALID_ARGUMENT where it breaks the pattern.
  static absl::StatusOr<SparseMask> Create(int64_t rows, int64_t columns, std::span<const uint8_t> kept,
                                           MaskPattern pattern = {});
  // Takes its field and its parameters out of an encoding's; checks both.
  static absl::StatusOr<SparseMask> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                               const nlohmann::json& parameters);
  static uint64_t ByteSize(int64_t rows, int64_t columns, MaskPattern pattern);
  // "mask" or "patterns".
  static absl::string_view FieldName(MaskPattern pattern) { return pattern.packs() ? "patterns" : "mask"; }

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  // Kept weights, and of them those of the rows before `row` (0 to rows).
  int64_t count() const { return starts_.back(); }
  int64_t RowStart(int64_t row) const { return starts_[row]; }
  // 1 for each kept column of a row, else 0.
  void KeptOfRow(int64_t row, uint8_t* kept) const;
  // The row's bits, lowest first, in ceil(columns / 8) bytes.
  void BitsOfRow(int64_t row, uint8_t* bits) const;

  uint64_t byte_size() const { return stored_.bytes().size(); }
  EncodedField Field() const;
  // Adds the pattern's, where it packs.
  void AddParameters(nlohmann::json& parameters) const;

 private:
  SparseMask(int64_t rows, int64_t columns, MaskPattern pattern, Tensor stored)
      : rows_(rows), columns_(columns), pattern_(pattern), stored_(std::move(stored)) {}
  absl::Status Count();

  int64_t rows_;
  int64_t columns_;
  MaskPattern pattern_;
  Tensor stored_;
  std::vector<int64_t> starts_;
};

// 1 for each weight [rows, columns] that the tensor's mask keeps, else 0; empty where it has no mask.
std::vector<uint8_t> KeptMarks(const EncodedTensor& tensor);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_SPARSE_MASK_H_
