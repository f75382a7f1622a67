// Layers that stay in their codes against what these decode to.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/encoding/bilevel_int_tensor.h"
#include "core/encoding/bit_plane_tensor.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/columns_tensor.h"
#include "core/encoding/float8_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/sparse_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "core/kernels/reference.h"
#include "core/model/linear.h"
#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

constexpr int64_t kRows = 230;
// Rows of the weight that the layer has.
constexpr int64_t kFirstRow = 3, kOutputs = 214;
constexpr int64_t kTokens = 5;

std::vector<uint8_t> NumberCodes(const CodeBook& book, int64_t count) {
  std::mt19937 random(7);
  std::vector<uint8_t> codes(count);
  for (uint8_t& code : codes) {
    do code = random() % book.values().size();
    while (!book.IsNumber(code));
  }
  return codes;
}

EncodedTensorPtr RandomBook(const CodeBook& book, int64_t columns, int64_t group_size, ScaleForm form) {
  std::vector<float> wanted(kRows * (columns / group_size));
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = 0.01f * static_cast<float>(1 + i % 9);
  const auto scales = GroupScales::Encode(form, kRows, columns / group_size, wanted);
  EXPECT_TRUE(scales.ok()) << scales.status();
  const auto tensor =
      CodebookTensor::Create({kRows, columns, &book, group_size}, NumberCodes(book, kRows * columns), *scales);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

EncodedTensorPtr RandomFloat8(DType dtype, int64_t columns, int64_t block_rows, int64_t block_columns) {
  const CodeBook& book = dtype == DType::kF8E4M3 ? E4m3Book() : E5m2Book();
  const Shape blocks = {(kRows + block_rows - 1) / block_rows, (columns + block_columns - 1) / block_columns};
  std::vector<float> scales(blocks[0] * blocks[1]);
  for (size_t i = 0; i < scales.size(); ++i) scales[i] = 0.001f * static_cast<float>(1 + i);
  const auto tensor = Float8Tensor::Create(*Tensor::Own(dtype, {kRows, columns}, NumberCodes(book, kRows * columns)),
                                           *Tensor::Own(DType::kF32, blocks, scales), block_rows, block_columns);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

EncodedTensorPtr RandomPlanes(int planes, int64_t columns, int64_t group_size) {
  std::mt19937 random(planes);
  std::vector<uint8_t> codes(kRows * columns);
  std::vector<uint16_t> scales(kRows * (columns / group_size) * planes);
  for (uint8_t& code : codes) code = random() % (1 << planes);
  for (uint16_t& scale : scales) scale = FloatToF16(static_cast<float>(random() % 1000) / 1000);
  const auto tensor = BitPlaneTensor::Create({kRows, columns, planes, group_size}, codes, scales);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

EncodedTensorPtr RandomGroupInt(int64_t columns, int64_t group_size, bool symmetric) {
  std::mt19937 random(5);
  const int64_t groups = columns / group_size;
  std::vector<uint8_t> codes(kRows * columns), zero_points(symmetric ? 0 : kRows * groups);
  for (uint8_t& code : codes) code = random() % 8;
  for (uint8_t& zero_point : zero_points) zero_point = random() % 8;
  const auto tensor = GroupIntTensor::Create({kRows, columns, 3, group_size}, codes,
                                             std::vector<uint16_t>(kRows * groups, FloatToF16(0.01f)), zero_points);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

EncodedTensorPtr RandomBilevel(const BilevelIntLayout& layout) {
  std::mt19937 random(6);
  BilevelIntParts parts(layout);
  for (uint8_t& code : parts.codes) code = random() % (1 << layout.bits);
  for (uint8_t& code : parts.scale_codes) code = random() % (1 << layout.scale_bits);
  for (uint8_t& code : parts.zero_codes) code = random() % (1 << layout.scale_bits);
  for (uint16_t& grid : parts.scale_grids) grid = FloatToF16(0.001f * static_cast<float>(1 + random() % 9));
  for (uint8_t& grid : parts.zero_grids) grid = random() % 3;
  const auto tensor = BilevelIntTensor::Create(layout, parts);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

EncodedTensorPtr RandomColumns(int64_t columns) {
  const auto tensor =
      ColumnsTensor::Create({kRows, columns}, {0, 7, static_cast<uint32_t>(columns - 1)}, RandomFloats(3 * kRows, 8));
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

EncodedTensorPtr RandomSparse(int64_t columns) {
  std::mt19937 random(9);
  std::vector<SparseTensor::Entry> entries;
  for (int64_t i = 0; i < kRows * columns; ++i) {
    if (random() % 30 == 0) entries.push_back({i / columns, i % columns, static_cast<float>(random() % 100) / 50 - 1});
  }
  const auto tensor = SparseTensor::Create({kRows, columns}, entries);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

EncodedTensorPtr Sum(std::vector<EncodedTensorPtr> terms) {
  const auto tensor = SumTensor::Create(std::move(terms));
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return *tensor;
}

// Both ways of multiplying against the decoded weight.
void ExpectDecodedProducts(const EncodedTensor& weight, LinearCompute compute, const std::string& row_kernel,
                           int64_t first = kFirstRow) {
  SCOPED_TRACE(row_kernel);
  const int64_t inputs = weight.columns();
  const std::vector<float> x = RandomFloats(kTokens * inputs, 1), bias = RandomFloats(kOutputs, 2);
  std::vector<float> values(kOutputs * inputs);
  weight.DecodeRows(first, kOutputs, values.data());
  const std::vector<double> expected = reference::MatMul(x, values, bias, kTokens, kOutputs, inputs);
  ComputeOptions options;
  options.linears = compute;
  const auto linear = Linear::Create({&weight, first, kOutputs}, bias, options);
  ASSERT_TRUE(linear.ok()) << linear.status();
  EXPECT_EQ(linear->kernel(), "float32");
  EXPECT_EQ(linear->row_kernel(), row_kernel);
  EXPECT_TRUE(linear->encoded());
  std::vector<float> many(kTokens * kOutputs), one(kOutputs);
  ASSERT_TRUE(linear->Multiply(x.data(), inputs, kTokens, false, many.data(), kOutputs).ok());
  const RowProduct row[] = {linear->Rows(x.data(), 1, false, one.data())};
  ASSERT_TRUE(MultiplyRows(2, row).ok());
  const bool int8 = row_kernel.find("x int8") != std::string::npos;
  for (int64_t i = 0; i < kTokens * kOutputs; ++i) {
    double magnitude = 0;
    for (int64_t k = 0; k < inputs; ++k) {
      magnitude += std::abs(x[i / kOutputs * inputs + k] * values[i % kOutputs * inputs + k]);
    }
    ASSERT_NEAR(many[i], expected[i], 2e-6 * magnitude);
    if (i >= kOutputs) continue;
    ASSERT_NEAR(one[i], expected[i], (int8 ? 0.01 : 2e-6) * magnitude);
  }
  // Over many rows the same values are multiplied as without a kernel of its own.
  const auto decoded = Linear::Create({&weight, first, kOutputs}, bias, {});
  std::vector<float> same(many.size());
  ASSERT_TRUE(decoded->Multiply(x.data(), inputs, kTokens, false, same.data(), kOutputs).ok());
  EXPECT_EQ(many, same);
}

TEST(EncodedLinearTest, CodeBooksAreMultipliedInTheirCodes) {
  const auto expect = [](const EncodedTensorPtr& weight, const std::string& name, bool int8) {
    ExpectDecodedProducts(*weight, LinearCompute::kEncodedFloat32, name + " x float32");
    ExpectDecodedProducts(*weight, LinearCompute::kEncodedInt8, name + (int8 ? " x int8" : " x float32"));
  };
  expect(RandomBook(Nf4Book(), 96, 32, ScaleForm::kF16), "nf4", false);
  expect(RandomBook(Nf4Book(), 128, 64, ScaleForm::kDouble), "nf4", false);
  // An odd number of columns: a byte is half empty.
  expect(RandomBook(Nf4Book(), 77, 77, ScaleForm::kF32), "nf4", false);
  expect(RandomBook(E2m1Book(), 96, 32, ScaleForm::kE8m0), "e2m1", true);
  // NVFP4.
  expect(RandomBook(E2m1Book(), 96, 16, ScaleForm::kE4m3), "e2m1", false);
  expect(RandomBook(E4m3Book(), 77, 77, ScaleForm::kF32), "e4m3", false);
  expect(RandomBook(E5m2Book(), 96, 32, ScaleForm::kRowShift), "e5m2", false);
  expect(RandomFloat8(DType::kF8E4M3, 128, 32, 64), "e4m3", false);
  expect(RandomFloat8(DType::kF8E5M2, 77, 100, 100), "e5m2", false);
}

TEST(EncodedLinearTest, BitPlanesAreLookedUp) {
  for (const LinearCompute compute : {LinearCompute::kEncodedFloat32, LinearCompute::kEncodedInt8}) {
    ExpectDecodedProducts(*RandomPlanes(2, 96, 32), compute, "2 bit planes x float32");
    ExpectDecodedProducts(*RandomPlanes(3, 77, 77), compute, "3 bit planes x float32");
    ExpectDecodedProducts(*RandomPlanes(4, 128, 64), compute, "4 bit planes x float32");
  }
}

TEST(EncodedLinearTest, SumsAreMultipliedTermByTerm) {
  for (const std::string x : {"float32", "int8"}) {
    const LinearCompute compute = x == "int8" ? LinearCompute::kEncodedInt8 : LinearCompute::kEncodedFloat32;
    // OWQ.
    ExpectDecodedProducts(*Sum({RandomGroupInt(96, 32, true), RandomColumns(96)}), compute,
                          "int3 x " + x + " + columns");
    ExpectDecodedProducts(*Sum({RandomGroupInt(77, 77, false), RandomColumns(77)}), compute,
                          "int3 x " + x + " + columns");
    // SpQR, tiles of 16 rows and of 32.
    ExpectDecodedProducts(*Sum({RandomBilevel({kRows, 96, 3, 16, 3, 16}), RandomSparse(96)}), compute,
                          "bilevel int3 x " + x + " + sparse", 16);
    ExpectDecodedProducts(*Sum({RandomBilevel({kRows, 128, 2, 64, 4, 32}), RandomSparse(128), RandomColumns(128)}),
                          compute, "bilevel int2 x " + x + " + sparse + columns", 0);
    ExpectDecodedProducts(*RandomBilevel({kRows, 77, 4, 77, 2, 16}), compute, "bilevel int4 x " + x, 0);
    ExpectDecodedProducts(*Sum({RandomBook(Nf4Book(), 96, 32, ScaleForm::kF16), RandomSparse(96)}), compute,
                          "nf4 x float32 + sparse");
  }
}

TEST(EncodedLinearTest, GroupsWithoutAKernelAreDecoded) {
  ComputeOptions options;
  options.linears = LinearCompute::kEncodedInt8;
  for (const EncodedTensorPtr& weight :
       {RandomBook(Nf4Book(), 96, 8, ScaleForm::kF32), RandomBook(DynamicMapBook(), 96, 32, ScaleForm::kF32),
        RandomFloat8(DType::kF8E4M3, 96, 1, 64), RandomPlanes(2, 96, 16),
        // Codes of 5 bits for scales, tiles smaller than the kernel's.
        RandomBilevel({kRows, 96, 3, 16, 5, 16}), Sum({RandomBilevel({kRows, 96, 3, 16, 3, 8}), RandomSparse(96)}),
        Sum({RandomColumns(96), RandomSparse(96)})}) {
    const auto linear = Linear::Create({weight.get(), 0, kRows}, {}, options);
    ASSERT_TRUE(linear.ok()) << linear.status();
    EXPECT_EQ(linear->row_kernel(), "float32");
  }
}

// Inputs that have a format are rounded once: to it, not to 8 bits in blocks.
TEST(EncodedLinearTest, RoundedInputsMeetCodesInFloat) {
  const EncodedTensorPtr plain = RandomFloat8(DType::kF8E4M3, 96, 1, 96);
  const auto format = IntTokenFormat::Create(96, {.bits = 6});
  ASSERT_TRUE(format.ok());
  const auto weight = InputFormatTensor::Create(plain, *format);
  ASSERT_TRUE(weight.ok()) << weight.status();
  ComputeOptions options;
  options.linears = LinearCompute::kEncodedInt8;
  const auto linear = Linear::Create({weight->get(), 0, kRows}, {}, options);
  ASSERT_TRUE(linear.ok()) << linear.status();
  EXPECT_EQ(linear->row_kernel(), "e4m3 x float32 on int-token inputs");
  const std::vector<float> x = RandomFloats(96, 4);
  std::vector<float> rounded(96), values(kRows * 96), one(kRows);
  (*format)->Round(x.data(), 1, rounded.data());
  plain->DecodeRows(0, kRows, values.data());
  const std::vector<double> expected = reference::MatMul(rounded, values, {}, 1, kRows, 96);
  const RowProduct row[] = {linear->Rows(x.data(), 1, false, one.data())};
  ASSERT_TRUE(MultiplyRows(2, row).ok());
  for (int64_t i = 0; i < kRows; ++i) ASSERT_NEAR(one[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
}

}  // namespace
}  // namespace tersor
