// Masked tensors byte by byte against tests/fixtures/masked_tensors.json, which tests/tools/make_masked_tensors.py made
// from the description of the format alone.
#include "core/encoding/masked_tensor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "core/base/atomic_file.h"
#include "core/encoding/encoding_registry.h"
#include "core/encoding/masked_int_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr std::pair<const char*, DType> kTypes[] = {
    {"U8", DType::kU8}, {"F16", DType::kF16}, {"BF16", DType::kBF16}, {"F32", DType::kF32}};

EncodedField FieldOf(const Json& stored, const Shape& shape) {
  const std::string bytes = absl::HexStringToBytes(stored["bytes"].get<std::string>());
  DType dtype = DType::kU8;
  for (const auto& [name, type] : kTypes) {
    if (stored["dtype"] == name) dtype = type;
  }
  const auto* raw = reinterpret_cast<const std::byte*>(bytes.data());
  std::vector<std::byte> copy(raw, raw + bytes.size());
  const int64_t count = static_cast<int64_t>(copy.size() / DTypeSize(dtype)), rows = shape[0];
  // Of the fields, codes and values have one dimension.
  const std::string name = stored["name"];
  const Shape own = name == "codes" || name == "values" ? Shape{count} : Shape{rows, count / rows};
  return {name, *Tensor::Own(dtype, own, std::move(copy))};
}

Json Golden() { return Json::parse(*ReadFile(testing::FixturesPath() / "masked_tensors.json")); }

TEST(MaskedTensorTest, GoldenBytesDecodeToTheirValues) {
  for (const Json& golden : Golden()) {
    const Shape shape = golden["shape"].get<std::vector<int64_t>>();
    std::vector<EncodedField> fields;
    for (const Json& field : golden["fields"]) fields.push_back(FieldOf(field, shape));
    const auto tensor = DecodeFields(golden["encoding"].get<std::string>(), shape, fields, golden["parameters"]);
    ASSERT_TRUE(tensor.ok()) << tensor.status() << golden["parameters"];
    EXPECT_EQ((*tensor)->Decode(), golden["values"].get<std::vector<float>>()) << golden["parameters"];
    EXPECT_EQ(KeptMarks(**tensor), golden["kept"].get<std::vector<uint8_t>>());
    EXPECT_EQ((*tensor)->Parameters(), golden["parameters"]);
  }
}

TEST(MaskedTensorTest, ValuesAreStoredAsTheGoldenBytes) {
  for (const Json& golden : Golden()) {
    if (golden["encoding"] != "masked") continue;
    const Shape shape = golden["shape"].get<std::vector<int64_t>>();
    const Json& parameters = golden["parameters"];
    const MaskPattern pattern = {parameters.value("kept", 0), parameters.value("of", 0)};
    const auto mask = SparseMask::Create(shape[0], shape[1], golden["kept"].get<std::vector<uint8_t>>(), pattern);
    ASSERT_TRUE(mask.ok()) << mask.status();
    const EncodedField values = FieldOf(golden["fields"][1], shape);
    const auto tensor = MaskedTensor::Create(*mask, golden["values"].get<std::vector<float>>(), values.tensor.dtype());
    ASSERT_TRUE(tensor.ok()) << tensor.status();
    const std::vector<EncodedField> fields = (*tensor)->Fields();
    for (size_t i = 0; i < fields.size(); ++i) {
      const EncodedField expected = FieldOf(golden["fields"][i], shape);
      EXPECT_EQ(fields[i].name, expected.name);
      EXPECT_EQ(fields[i].tensor.shape(), expected.tensor.shape());
      const auto a = fields[i].tensor.bytes(), b = expected.tensor.bytes();
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << fields[i].name << parameters;
    }
  }
}

TEST(SparseMaskTest, DamagedMasksAreRefused) {
  const auto status = [](const char* name, std::vector<uint8_t> bytes, const Shape& shape, const Json& parameters) {
    const int64_t count = static_cast<int64_t>(bytes.size());
    const EncodedField field = {name, *Tensor::Own(DType::kU8, {shape[0], count / shape[0]}, std::move(bytes))};
    return std::string(SparseMask::FromFields(shape, {field}, parameters).status().message());
  };
  EXPECT_THAT(status("mask", {0xff, 0x10}, {1, 12}, Json::object()), HasSubstr("keeps columns beyond the last"));
  EXPECT_THAT(status("mask", {0xff}, {1, 12}, Json::object()), HasSubstr("mask"));
  // Numbers of 2:4 are 0 to 5.
  EXPECT_THAT(status("patterns", {0x07}, {1, 4}, {{"kept", 2}, {"of", 4}}), HasSubstr("beyond the 6 patterns"));
  EXPECT_THAT(status("patterns", {0x01}, {1, 6}, {{"kept", 2}, {"of", 4}}), HasSubstr("no pattern of 6 columns"));
  EXPECT_THAT(status("patterns", {0x01}, {1, 16}, {{"kept", 8}, {"of", 16}}), HasSubstr("are not stored"));
  EXPECT_THAT(status("patterns", {0x01}, {1, 4}, {{"kept", 2}}), HasSubstr("of"));
}

TEST(SparseMaskTest, MarksThatBreakThePatternAreRefused) {
  const std::vector<uint8_t> marks = {1, 1, 0, 0, 1, 0, 0, 0};
  EXPECT_THAT(SparseMask::Create(1, 8, marks, {2, 4}).status().message(),
              HasSubstr("row 0 keeps other than 2 of columns 4"));
  EXPECT_FALSE(SparseMask::Create(1, 8, marks, {4, 4}).ok());
  EXPECT_FALSE(SparseMask::Create(2, 8, marks).ok());
}

TEST(MaskedIntTensorTest, WeightsThatAreNotZeroCannotBeLeftOut) {
  const std::vector<uint8_t> codes = {8, 9, 8, 7}, marks = {0, 1, 1, 0};
  const std::vector<uint16_t> scales = {0x3c00};
  const auto dense = GroupIntTensor::Create({1, 4, 4, 4}, codes, scales, {});
  const auto made = MaskedIntTensor::Create(*SparseMask::Create(1, 4, marks), **dense);
  EXPECT_THAT(made.status().message(), HasSubstr("weight [0, 3] is to be 0"));
}

}  // namespace
}  // namespace tersor
