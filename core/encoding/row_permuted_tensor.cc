#include "core/encoding/row_permuted_tensor.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/dense_tensor.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// Row of the GGUF tensor that holds row `row` of the Hugging Face tensor.
int64_t GgufRow(int64_t row, int64_t head_size) {
  const int64_t within = row % head_size;
  const int64_t half = within / (head_size / 2);
  const int64_t pair = within % (head_size / 2);
  return row - within + 2 * pair + half;
}

class RowPermutedTensor final : public EncodedTensor {
 public:
  RowPermutedTensor(EncodedTensorPtr base, int64_t head_size) : base_(std::move(base)), head_size_(head_size) {}

  absl::string_view encoding() const override { return base_->encoding(); }
  const Shape& shape() const override { return base_->shape(); }
  uint64_t byte_size() const override { return base_->byte_size(); }
  nlohmann::json Parameters() const override { return base_->Parameters(); }
  void ReleasePages() const override { base_->ReleasePages(); }

  void DecodeRows(int64_t first, int64_t count, float* out) const override {
    for (int64_t i = 0; i < count; ++i) base_->DecodeRows(GgufRow(first + i, head_size_), 1, out + i * columns());
  }

  std::vector<EncodedField> Fields() const override {
    std::vector<EncodedField> fields = base_->Fields();
    for (EncodedField& field : fields) field.tensor = Reorder(field.tensor);
    return fields;
  }

 private:
  // Every field of the encodings that come from a GGUF file has the matrix's rows as its first dimension.
  Tensor Reorder(const Tensor& tensor) const {
    const size_t row_bytes = tensor.bytes().size() / static_cast<size_t>(rows());
    std::vector<std::byte> bytes(tensor.bytes().size());
    for (int64_t row = 0; row < rows(); ++row) {
      std::memcpy(bytes.data() + row * row_bytes, tensor.bytes().data() + GgufRow(row, head_size_) * row_bytes,
                  row_bytes);
    }
    // Cannot fail: the shape and the byte count are the old ones.
    return *Tensor::Own(tensor.dtype(), tensor.shape(), std::move(bytes));
  }

  EncodedTensorPtr base_;
  int64_t head_size_;
};

}  // namespace

absl::StatusOr<EncodedTensorPtr> UnpermuteGgufRows(EncodedTensorPtr base, int64_t heads) {
  const bool vector = base->shape().size() < 2;
  const int64_t rows = vector ? base->columns() : base->rows();
  if (heads < 1 || rows < 1 || rows % heads != 0 || rows / heads % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeString(base->shape()), " does not hold ", heads, " heads of even size"));
  }
  const int64_t head_size = rows / heads;
  if (!vector) return EncodedTensorPtr(std::make_shared<RowPermutedTensor>(std::move(base), head_size));
  const std::vector<float> values = base->Decode();
  std::vector<float> ordered(values.size());
  for (int64_t row = 0; row < rows; ++row) ordered[row] = values[GgufRow(row, head_size)];
  return DenseTensor::FromFloats(base->shape(), std::move(ordered));
}

std::vector<int64_t> GgufRowSources(int64_t rows, int64_t heads) {
  std::vector<int64_t> sources(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) sources[GgufRow(row, rows / heads)] = row;
  return sources;
}

}  // namespace tersor
