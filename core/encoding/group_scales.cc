#include "core/encoding/group_scales.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/encoding/code_book.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

constexpr std::array<absl::string_view, 7> kNames = {"f32", "f16", "e8m0", "e4m3", "row-shift", "double", "e4m3-over"};
constexpr int64_t kDoubleBlock = 256;
constexpr int kE8m0Bias = 127, kE8m0NaN = 255, kLargestShift = 126;

int64_t DoubleBlocks(int64_t scales) { return (scales + kDoubleBlock - 1) / kDoubleBlock; }

std::vector<float> Floats(const Tensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  // Cannot fail: the type was checked.
  DecodeToFloat(tensor, 0, tensor.elements(), values.data()).IgnoreError();
  return values;
}

const uint8_t* Bytes(const Tensor& tensor) { return reinterpret_cast<const uint8_t*>(tensor.bytes().data()); }

// The smallest k with 2^k >= value > 0.
int ExponentAbove(float value) {
  int exponent = 0;
  return std::frexp(value, &exponent) == 0.5f ? exponent - 1 : exponent;
}

struct FieldShape {
  absl::string_view name;
  DType dtype;
  Shape shape;
};

std::vector<FieldShape> FieldShapes(ScaleForm form, int64_t rows, int64_t groups) {
  switch (form) {
    case ScaleForm::kF32:
      return {{"scales", DType::kF32, {rows, groups}}};
    case ScaleForm::kF16:
      return {{"scales", DType::kF16, {rows, groups}}};
    case ScaleForm::kE8m0:
      return {{"scales", DType::kU8, {rows, groups}}};
    case ScaleForm::kE4m3:
      return {{"scales", DType::kU8, {rows, groups}}, {"tensor_scale", DType::kF32, {1}}};
    case ScaleForm::kRowShift:
      return {{"row_scales", DType::kF32, {rows}}, {"shifts", DType::kU8, {rows, groups}}};
    case ScaleForm::kDouble:
      return {{"scales", DType::kU8, {rows, groups}},
              {"block_scales", DType::kF32, {DoubleBlocks(rows * groups)}},
              {"offset", DType::kF32, {1}}};
    case ScaleForm::kE4m3Over:
      return {{"scales", DType::kU8, {rows, groups}}, {"divisor", DType::kF32, {1}}};
  }
  return {};
}

absl::StatusOr<EncodedField> Field(const FieldShape& shape, std::vector<uint8_t> values) {
  TERSOR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Own(shape.dtype, shape.shape, std::move(values)));
  return EncodedField{std::string(shape.name), std::move(tensor)};
}

absl::StatusOr<EncodedField> Field(const FieldShape& shape, std::vector<float> values) {
  TERSOR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Own(shape.dtype, shape.shape, std::move(values)));
  return EncodedField{std::string(shape.name), std::move(tensor)};
}

using Fields = std::vector<EncodedField>;
using Shapes = std::vector<FieldShape>;

absl::StatusOr<Fields> EncodeF32(const Shapes& shapes, const std::vector<float>& wanted) {
  TERSOR_ASSIGN_OR_RETURN(EncodedField field, Field(shapes[0], wanted));
  return Fields{std::move(field)};
}

absl::StatusOr<Fields> EncodeF16(const Shapes& shapes, const std::vector<float>& wanted) {
  std::vector<uint16_t> halves;
  for (const float scale : wanted) halves.push_back(FloatToF16(scale));
  TERSOR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Own(DType::kF16, shapes[0].shape, std::move(halves)));
  return Fields{{std::string(shapes[0].name), std::move(tensor)}};
}

absl::StatusOr<Fields> EncodeE8m0(const Shapes& shapes, const std::vector<float>& wanted) {
  std::vector<uint8_t> codes;
  for (const float scale : wanted) {
    const int exponent = scale > 0 ? ExponentAbove(scale) : -kE8m0Bias;
    codes.push_back(static_cast<uint8_t>(std::max(exponent + kE8m0Bias, 0)));
  }
  TERSOR_ASSIGN_OR_RETURN(EncodedField field, Field(shapes[0], std::move(codes)));
  return Fields{std::move(field)};
}

absl::StatusOr<Fields> EncodeE4m3(const Shapes& shapes, const std::vector<float>& wanted) {
  const CodeBook& book = E4m3Book();
  const float largest = *std::max_element(wanted.begin(), wanted.end());
  const float tensor_scale = largest / book.largest();
  const float inverse = tensor_scale > 0 ? 1 / tensor_scale : 0;
  std::vector<uint8_t> codes;
  for (const float scale : wanted) codes.push_back(book.Nearest(std::isfinite(inverse) ? scale * inverse : 0));
  TERSOR_ASSIGN_OR_RETURN(EncodedField field, Field(shapes[0], std::move(codes)));
  TERSOR_ASSIGN_OR_RETURN(EncodedField factor, Field(shapes[1], std::vector<float>{tensor_scale}));
  return Fields{std::move(field), std::move(factor)};
}

absl::StatusOr<Fields> EncodeE4m3Over(const Shapes& shapes, const std::vector<float>& wanted) {
  const CodeBook& book = E4m3Book();
  const float largest = *std::max_element(wanted.begin(), wanted.end());
  const float quotient = largest > 0 ? book.largest() / largest : 1;
  const float divisor = std::isfinite(quotient) ? quotient : std::numeric_limits<float>::max();
  std::vector<uint8_t> codes;
  for (const float scale : wanted) codes.push_back(book.Nearest(scale * divisor));
  TERSOR_ASSIGN_OR_RETURN(EncodedField field, Field(shapes[0], std::move(codes)));
  TERSOR_ASSIGN_OR_RETURN(EncodedField factor, Field(shapes[1], std::vector<float>{divisor}));
  return Fields{std::move(field), std::move(factor)};
}

absl::StatusOr<Fields> EncodeRowShift(const Shapes& shapes, const std::vector<float>& wanted) {
  const int64_t rows = shapes[1].shape[0], groups = shapes[1].shape[1];
  std::vector<float> row_scales(rows);
  std::vector<uint8_t> shifts(wanted.size());
  for (int64_t row = 0; row < rows; ++row) {
    const float* scales = wanted.data() + row * groups;
    const float largest = row_scales[row] = *std::max_element(scales, scales + groups);
    for (int64_t g = 0; g < groups; ++g) {
      // The largest shift that leaves at least the wanted scale.
      const double ratio = scales[g] > 0 ? static_cast<double>(largest) / scales[g] : 1;
      shifts[row * groups + g] = static_cast<uint8_t>(std::min(std::ilogb(ratio), kLargestShift));
    }
  }
  TERSOR_ASSIGN_OR_RETURN(EncodedField factors, Field(shapes[0], std::move(row_scales)));
  TERSOR_ASSIGN_OR_RETURN(EncodedField field, Field(shapes[1], std::move(shifts)));
  return Fields{std::move(factors), std::move(field)};
}

absl::StatusOr<Fields> EncodeDouble(const Shapes& shapes, const std::vector<float>& wanted) {
  const CodeBook& book = DynamicMapBook();
  const int64_t count = static_cast<int64_t>(wanted.size());
  double sum = 0;
  for (const float scale : wanted) sum += scale;
  const float offset = static_cast<float>(sum / static_cast<double>(count));
  std::vector<float> blocks(DoubleBlocks(count));
  std::vector<uint8_t> codes(count);
  for (size_t block = 0; block < blocks.size(); ++block) {
    const int64_t first = static_cast<int64_t>(block) * kDoubleBlock, last = std::min(first + kDoubleBlock, count);
    for (int64_t i = first; i < last; ++i) blocks[block] = std::max(blocks[block], std::abs(wanted[i] - offset));
    const float inverse = blocks[block] > 0 ? 1 / blocks[block] : 0;
    for (int64_t i = first; i < last; ++i) {
      codes[i] = book.Nearest(std::isfinite(inverse) ? (wanted[i] - offset) * inverse : 0);
    }
  }
  TERSOR_ASSIGN_OR_RETURN(EncodedField field, Field(shapes[0], std::move(codes)));
  TERSOR_ASSIGN_OR_RETURN(EncodedField factors, Field(shapes[1], std::move(blocks)));
  TERSOR_ASSIGN_OR_RETURN(EncodedField mean, Field(shapes[2], std::vector<float>{offset}));
  return Fields{std::move(field), std::move(factors), std::move(mean)};
}

absl::StatusOr<Fields> EncodeAs(ScaleForm form, const Shapes& shapes, const std::vector<float>& wanted) {
  switch (form) {
    case ScaleForm::kF32:
      return EncodeF32(shapes, wanted);
    case ScaleForm::kF16:
      return EncodeF16(shapes, wanted);
    case ScaleForm::kE8m0:
      return EncodeE8m0(shapes, wanted);
    case ScaleForm::kE4m3:
      return EncodeE4m3(shapes, wanted);
    case ScaleForm::kRowShift:
      return EncodeRowShift(shapes, wanted);
    case ScaleForm::kDouble:
      return EncodeDouble(shapes, wanted);
    case ScaleForm::kE4m3Over:
      return EncodeE4m3Over(shapes, wanted);
  }
  return absl::InvalidArgumentError("unknown form of scales");
}

std::vector<float> Decode(ScaleForm form, int64_t groups, const Fields& fields) {
  if (form == ScaleForm::kF32 || form == ScaleForm::kF16) return Floats(fields[0].tensor);
  const bool shifted = form == ScaleForm::kRowShift;
  const Tensor& codes = fields[shifted ? 1 : 0].tensor;
  const std::vector<float> factors = form == ScaleForm::kE8m0 ? std::vector<float>() : Floats(fields[!shifted].tensor);
  const float offset = form == ScaleForm::kDouble ? Floats(fields[2].tensor)[0] : 0;
  std::vector<float> values(static_cast<size_t>(codes.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint8_t code = Bytes(codes)[i];
    if (form == ScaleForm::kE8m0) values[i] = std::ldexp(1.0f, code - kE8m0Bias);
    if (form == ScaleForm::kE4m3) values[i] = E4m3Book().Value(code) * factors[0];
    if (form == ScaleForm::kE4m3Over) values[i] = E4m3Book().Value(code) / factors[0];
    if (shifted) values[i] = std::ldexp(factors[i / groups], -code);
    if (form == ScaleForm::kDouble) values[i] = DynamicMapBook().Value(code) * factors[i / kDoubleBlock] + offset;
  }
  return values;
}

absl::Status CheckCodes(ScaleForm form, const Fields& fields) {
  const Tensor& codes = fields[0].tensor;
  if (form != ScaleForm::kE8m0 && form != ScaleForm::kE4m3 && form != ScaleForm::kE4m3Over) return absl::OkStatus();
  for (int64_t i = 0; i < codes.elements(); ++i) {
    const uint8_t code = Bytes(codes)[i];
    const bool number = form == ScaleForm::kE8m0 ? code != kE8m0NaN : E4m3Book().IsNumber(code);
    if (!number) return absl::InvalidArgumentError(absl::StrCat("scale ", i, " is not a number"));
  }
  return absl::OkStatus();
}

absl::Status CheckValues(const std::vector<float>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    return absl::InvalidArgumentError(absl::StrCat("scale ", i, " is ", values[i], ", beyond what its form can hold"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view ScaleFormName(ScaleForm form) { return kNames[static_cast<size_t>(form)]; }

absl::StatusOr<ScaleForm> ScaleFormFromName(absl::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<ScaleForm>(i);
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown form of scales \"", name, "\""));
}

absl::StatusOr<GroupScales> GroupScales::Encode(ScaleForm form, int64_t rows, int64_t groups,
                                                const std::vector<float>& wanted) {
  if (rows < 1 || groups < 1 || static_cast<int64_t>(wanted.size()) != rows * groups) {
    return absl::InvalidArgumentError(
        absl::StrCat(wanted.size(), " scales do not make ", rows, " rows of ", groups, " groups"));
  }
  TERSOR_RETURN_IF_ERROR(CheckValues(wanted));
  TERSOR_ASSIGN_OR_RETURN(Fields fields, EncodeAs(form, FieldShapes(form, rows, groups), wanted));
  std::vector<float> values = Decode(form, groups, fields);
  TERSOR_RETURN_IF_ERROR(CheckValues(values));
  return GroupScales(form, groups, std::move(fields), std::move(values));
}

absl::StatusOr<GroupScales> GroupScales::FromFields(ScaleForm form, int64_t rows, int64_t groups,
                                                    const std::vector<EncodedField>& fields) {
  Fields taken;
  for (const FieldShape& shape : FieldShapes(form, rows, groups)) {
    TERSOR_ASSIGN_OR_RETURN(Tensor tensor, TakeField(fields, shape.name, shape.dtype, shape.shape));
    taken.push_back({std::string(shape.name), std::move(tensor)});
  }
  TERSOR_RETURN_IF_ERROR(CheckCodes(form, taken));
  std::vector<float> values = Decode(form, groups, taken);
  TERSOR_RETURN_IF_ERROR(CheckValues(values));
  return GroupScales(form, groups, std::move(taken), std::move(values));
}

std::vector<absl::string_view> GroupScales::FieldNames(ScaleForm form) {
  std::vector<absl::string_view> names;
  for (const FieldShape& shape : FieldShapes(form, 1, 1)) names.push_back(shape.name);
  return names;
}

uint64_t GroupScales::ByteSize(ScaleForm form, int64_t rows, int64_t groups) {
  uint64_t bytes = 0;
  for (const FieldShape& shape : FieldShapes(form, rows, groups)) {
    bytes += static_cast<uint64_t>(ElementCount(shape.shape)) * DTypeSize(shape.dtype);
  }
  return bytes;
}

}  // namespace tersor
