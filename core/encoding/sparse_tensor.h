// A matrix with few values other than zero, row by row.
#ifndef TERSOR_CORE_ENCODING_SPARSE_TENSOR_H_
#define TERSOR_CORE_ENCODING_SPARSE_TENSOR_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// The outlier weights of SpQR as a term of a sum, in compressed rows. Fields: "row_starts" U32 [rows + 1], "columns"
// U16 [n] (U32 where there are over 65536 columns), rising within a row, "values" F16 [n]. No parameters. 32 bits an
// outlier, as in SpQR (arXiv 2306.03078, section 4.3).
class SparseTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "sparse";

  struct Entry {
    int64_t row = 0;
    int64_t column = 0;
    float value = 0;
  };
  // Entries in rising order of row, then column; values are rounded to F16. There may be none.
  static absl::StatusOr<EncodedTensorPtr> Create(const Shape& shape, const std::vector<Entry>& entries);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override;
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;

  int64_t count() const { return values_.elements(); }
  // Entries of a row lie at [RowStart(row), RowStart(row + 1)).
  int64_t RowStart(int64_t row) const;
  int64_t Column(int64_t entry) const;
  float Value(int64_t entry) const;

 private:
  SparseTensor(Shape shape, Tensor row_starts, Tensor columns, Tensor values)
      : shape_(std::move(shape)),
        row_starts_(std::move(row_starts)),
        columns_(std::move(columns)),
        values_(std::move(values)) {}
  absl::Status Check() const;

  Shape shape_;
  Tensor row_starts_;
  Tensor columns_;
  Tensor values_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_SPARSE_TENSOR_H_
