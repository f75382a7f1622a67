// Codes of 4 or 8 bits that a code book turns into numbers, with a scale for each group of neighbouring inputs of a
// row: NF4, FP4, FP8, MXFP4, NVFP4.
#ifndef TERSOR_CORE_ENCODING_CODEBOOK_TENSOR_H_
#define TERSOR_CORE_ENCODING_CODEBOOK_TENSOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/code_book.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/group_scales.h"

namespace tersor {

struct CodebookLayout {
  int64_t rows = 0;
  int64_t columns = 0;
  const CodeBook* book = nullptr;
  // Divides `columns`; -1 on construction is one group a row.
  int64_t group_size = -1;
};

// value = book[code] * scale, in float. Fields: "codes" U8 [rows, PackedBytes(columns, book bits)] and those of the
// scales (group_scales.h). Parameters: {"book": "nf4", "group_size": 64, "scales": "f16"}. MXFP4 is e2m1, 32, e8m0;
// NVFP4 is e2m1, 16, e4m3-over.
class CodebookTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "codebook";

  // `codes` [rows, columns], unpacked.
  static absl::StatusOr<std::shared_ptr<const CodebookTensor>> Create(const CodebookLayout& layout,
                                                                      std::span<const uint8_t> codes,
                                                                      GroupScales scales);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);
  // Bytes of such a tensor.
  static uint64_t ByteSize(const CodebookLayout& layout, ScaleForm scales);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override;
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;

  // What kernels and exporters read.
  const CodeBook& book() const { return *book_; }
  int64_t group_size() const { return group_size_; }
  int64_t groups() const { return columns() / group_size_; }
  const GroupScales& scales() const { return scales_; }
  // Packed codes: two a byte, low nibble first, where the book has 4 bits.
  const Tensor& codes() const { return codes_; }

 private:
  CodebookTensor(const CodebookLayout& layout, Tensor codes, GroupScales scales)
      : shape_({layout.rows, layout.columns}),
        book_(layout.book),
        group_size_(layout.group_size),
        codes_(std::move(codes)),
        scales_(std::move(scales)) {}

  Shape shape_;
  const CodeBook* book_;
  int64_t group_size_;
  Tensor codes_;
  GroupScales scales_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_CODEBOOK_TENSOR_H_
