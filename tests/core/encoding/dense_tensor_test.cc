#include "core/encoding/dense_tensor.h"

#include "core/encoding/encoding_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

TEST(DenseTensorTest, RoundTripsThroughItsFields) {
  EncodedTensorPtr tensor = *DenseTensor::FromFloats({2, 3}, {1, 2, 3, 4, 5, 6});
  absl::StatusOr<EncodedTensorPtr> again =
      DecodeFields(tensor->encoding(), tensor->shape(), tensor->Fields(), tensor->Parameters());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Decode(), tensor->Decode());
  EXPECT_EQ((*again)->byte_size(), 24);
}

TEST(DenseTensorTest, DecodesSomeRows) {
  EncodedTensorPtr tensor = *DenseTensor::FromFloats({3, 2}, {1, 2, 3, 4, 5, 6});
  float out[2];
  tensor->DecodeRows(1, 1, out);
  EXPECT_THAT(out, ::testing::ElementsAre(3, 4));
}

TEST(DenseTensorTest, RefusesIntegersAndThreeDimensions) {
  EXPECT_FALSE(DenseTensor::Create(*Tensor::Own<int32_t>(DType::kI32, {1}, {1})).ok());
  EXPECT_FALSE(DenseTensor::FromFloats({1, 1, 1}, {1}).ok());
}

TEST(EncodingRegistryTest, UnknownEncodingListsTheKnownOnes) {
  absl::Status status = DecodeFields("nonsense", {1}, {}, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("dense"));
}

}  // namespace
}  // namespace tersor
