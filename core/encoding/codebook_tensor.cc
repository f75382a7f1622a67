#include "core/encoding/codebook_tensor.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/packed_ints.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

absl::StatusOr<CodebookLayout> CheckLayout(CodebookLayout layout) {
  if (layout.rows < 1 || layout.columns < 1 || ElementCount({layout.rows, layout.columns}) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeString({layout.rows, layout.columns}), " is not a matrix that can be stored"));
  }
  if (layout.group_size == -1) layout.group_size = layout.columns;
  if (layout.group_size < 1 || layout.columns % layout.group_size != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("group size ", layout.group_size, " does not divide ", layout.columns, " columns"));
  }
  return layout;
}

absl::Status CheckCode(const CodeBook& book, uint8_t code) {
  if (code < book.values().size() && book.IsNumber(code)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("code ", int{code}, " is no number of ", book.name()));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const CodebookTensor>> CodebookTensor::Create(const CodebookLayout& layout,
                                                                             std::span<const uint8_t> codes,
                                                                             GroupScales scales) {
  TERSOR_ASSIGN_OR_RETURN(const CodebookLayout checked, CheckLayout(layout));
  const int64_t groups = checked.columns / checked.group_size;
  if (static_cast<int64_t>(codes.size()) != checked.rows * checked.columns || scales.groups() != groups ||
      static_cast<int64_t>(scales.values().size()) != checked.rows * groups) {
    return absl::InvalidArgumentError(absl::StrCat(codes.size(), " codes and ", scales.values().size(),
                                                   " scales do not make ", checked.rows, " rows of ", checked.columns,
                                                   " columns in ", groups, " groups"));
  }
  const CodeBook& book = *checked.book;
  for (const uint8_t code : codes) TERSOR_RETURN_IF_ERROR(CheckCode(book, code));
  const int64_t row_bytes = PackedBytes(checked.columns, book.bits());
  std::vector<std::byte> packed(checked.rows * row_bytes);
  for (int64_t row = 0; row < checked.rows; ++row) {
    TERSOR_RETURN_IF_ERROR(PackInts(codes.subspan(row * checked.columns, checked.columns), book.bits(),
                                    std::span<std::byte>(packed).subspan(row * row_bytes, row_bytes)));
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor stored,
                          Tensor::Own<std::byte>(DType::kU8, {checked.rows, row_bytes}, std::move(packed)));
  return std::shared_ptr<const CodebookTensor>(new CodebookTensor(checked, std::move(stored), std::move(scales)));
}

absl::StatusOr<EncodedTensorPtr> CodebookTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                            const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(const std::string name, StringParameter(parameters, "book"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t group_size, IntegerParameter(parameters, "group_size"));
  TERSOR_ASSIGN_OR_RETURN(const std::string form_name, StringParameter(parameters, "scales"));
  TERSOR_ASSIGN_OR_RETURN(const ScaleForm form, ScaleFormFromName(form_name));
  const CodeBook* book = FindCodeBook(name);
  if (book == nullptr) return absl::InvalidArgumentError(absl::StrCat("unknown code book \"", name, "\""));
  if (shape.size() != 2) return absl::InvalidArgumentError("a codebook tensor is a matrix");
  TERSOR_ASSIGN_OR_RETURN(const CodebookLayout layout, CheckLayout({shape[0], shape[1], book, group_size}));
  std::vector<absl::string_view> known = GroupScales::FieldNames(form);
  known.push_back("codes");
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, known));
  const int64_t row_bytes = PackedBytes(layout.columns, book->bits());
  TERSOR_ASSIGN_OR_RETURN(Tensor codes, TakeField(fields, "codes", DType::kU8, {layout.rows, row_bytes}));
  if (book->bits() == 8) {
    for (const std::byte code : codes.bytes()) TERSOR_RETURN_IF_ERROR(CheckCode(*book, static_cast<uint8_t>(code)));
  }
  TERSOR_ASSIGN_OR_RETURN(GroupScales scales,
                          GroupScales::FromFields(form, layout.rows, layout.columns / layout.group_size, fields));
  return EncodedTensorPtr(new CodebookTensor(layout, std::move(codes), std::move(scales)));
}

uint64_t CodebookTensor::ByteSize(const CodebookLayout& layout, ScaleForm scales) {
  const int64_t group = layout.group_size == -1 ? layout.columns : layout.group_size;
  const uint64_t codes = static_cast<uint64_t>(layout.rows * PackedBytes(layout.columns, layout.book->bits()));
  return codes + GroupScales::ByteSize(scales, layout.rows, layout.columns / group);
}

uint64_t CodebookTensor::byte_size() const {
  return ByteSize({shape_[0], shape_[1], book_, group_size_}, scales_.form());
}

void CodebookTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  const int64_t row_bytes = codes_.shape()[1];
  const std::span<const float> values = book_->values();
  for (int64_t row = first; row < first + count; ++row, out += columns()) {
    const uint8_t* codes = reinterpret_cast<const uint8_t*>(codes_.bytes().data()) + row * row_bytes;
    for (int64_t i = 0; i < columns(); ++i) {
      const uint8_t code = book_->bits() == 8 ? codes[i] : (codes[i / 2] >> (4 * (i % 2))) & 15;
      out[i] = values[code] * scales_.At(row, i / group_size_);
    }
  }
}

std::vector<EncodedField> CodebookTensor::Fields() const {
  std::vector<EncodedField> fields = {{"codes", codes_}};
  fields.insert(fields.end(), scales_.fields().begin(), scales_.fields().end());
  return fields;
}

nlohmann::json CodebookTensor::Parameters() const {
  return {{"book", std::string(book_->name())},
          {"group_size", group_size_},
          {"scales", std::string(ScaleFormName(scales_.form()))}};
}

}  // namespace tersor
