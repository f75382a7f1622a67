#include "core/encoding/row_permuted_tensor.h"

#include <numeric>

#include "core/encoding/dense_tensor.h"
#include "core/encoding/encoding_registry.h"
#include "core/encoding/gguf_block_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using ::testing::ElementsAre;

// convert_hf_to_gguf: w.reshape(heads, 2, head / 2, columns).swapaxes(1, 2): Hugging Face row h * 4 + half * 2 + i of a
// head of 4 becomes row h * 4 + i * 2 + half.
TEST(RowPermutedTensorTest, UndoesTheConvertersOrder) {
  // Rows of two heads, each value the Hugging Face row it came from.
  EncodedTensorPtr gguf = *DenseTensor::FromFloats({8, 1}, {0, 2, 1, 3, 4, 6, 5, 7});
  EncodedTensorPtr rows = *UnpermuteGgufRows(gguf, 2);
  EXPECT_THAT(rows->Decode(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  float out[3];
  rows->DecodeRows(4, 3, out);
  EXPECT_THAT(out, ElementsAre(4, 5, 6));
  EXPECT_THAT(GgufRowSources(8, 2), ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
}

TEST(RowPermutedTensorTest, FieldsRebuildTheSameRowsWithoutThePermutation) {
  std::vector<float> values(12 * 5);
  std::iota(values.begin(), values.end(), 0.0f);
  EncodedTensorPtr dense = *UnpermuteGgufRows(*DenseTensor::FromFloats({12, 5}, values), 2);
  std::vector<uint8_t> bytes(6 * 2 * 34);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i % 34 == 1 ? 0x3c : i * 7);
  Tensor blocks = *Tensor::Own(DType::kU8, {6 * 2 * 34}, bytes);
  EncodedTensorPtr quantized =
      *UnpermuteGgufRows(*GgufBlockTensor::Create(*FindGgufBlockType("Q8_0"), {6, 64}, blocks), 1);
  for (const EncodedTensorPtr& tensor : {dense, quantized}) {
    absl::StatusOr<EncodedTensorPtr> again =
        DecodeFields(tensor->encoding(), tensor->shape(), tensor->Fields(), tensor->Parameters());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ((*again)->Decode(), tensor->Decode());
    EXPECT_EQ((*again)->byte_size(), tensor->byte_size());
  }
}

TEST(RowPermutedTensorTest, ReordersBiases) {
  EncodedTensorPtr bias = *UnpermuteGgufRows(*DenseTensor::FromFloats({8}, {0, 2, 1, 3, 4, 6, 5, 7}), 2);
  EXPECT_THAT(bias->Decode(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(bias->shape(), Shape({8}));
}

TEST(RowPermutedTensorTest, RefusesHeadsThatDoNotFit) {
  EncodedTensorPtr gguf = *DenseTensor::FromFloats({6, 1}, {0, 1, 2, 3, 4, 5});
  EXPECT_FALSE(UnpermuteGgufRows(gguf, 4).ok());
  EXPECT_FALSE(UnpermuteGgufRows(gguf, 2).ok());
  EXPECT_FALSE(UnpermuteGgufRows(gguf, 0).ok());
}

}  // namespace
}  // namespace tersor
