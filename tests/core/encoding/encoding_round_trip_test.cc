// What every encoding owes its container: fields and parameters rebuild it, and forged ones are refused.
#include <numeric>

#include "core/encoding/encoding_registry.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/core/encoding/encoding_samples.h"

namespace tersor {
namespace {

absl::StatusOr<EncodedTensorPtr> Rebuild(const EncodedTensor& tensor, const std::vector<EncodedField>& fields,
                                         const nlohmann::json& parameters) {
  return DecodeFields(tensor.encoding(), tensor.shape(), fields, parameters);
}

TEST(EncodingRoundTripTest, FieldsAndParametersRebuildEveryEncoding) {
  for (const auto& [name, tensor] : testing::EncodingSamples()) {
    const auto again = Rebuild(*tensor, tensor->Fields(), tensor->Parameters());
    ASSERT_TRUE(again.ok()) << name << ": " << again.status();
    EXPECT_EQ((*again)->Decode(), tensor->Decode()) << name;
    EXPECT_EQ((*again)->Parameters(), tensor->Parameters()) << name;
    EXPECT_EQ((*again)->byte_size(), tensor->byte_size()) << name;
  }
}

TEST(EncodingRoundTripTest, BytesAreThoseOfTheFields) {
  for (const auto& [name, tensor] : testing::EncodingSamples()) {
    uint64_t bytes = 0;
    for (const EncodedField& field : tensor->Fields()) bytes += field.tensor.bytes().size();
    EXPECT_EQ(tensor->byte_size(), bytes) << name;
  }
}

TEST(EncodingRoundTripTest, RowsDecodeAloneAsTheyDoTogether) {
  for (const auto& [name, tensor] : testing::EncodingSamples()) {
    const std::vector<float> all = tensor->Decode();
    for (int64_t row = 0; row < tensor->rows(); ++row) {
      std::vector<float> one(tensor->columns());
      tensor->DecodeRows(row, 1, one.data());
      EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + row * tensor->columns())) << name << " " << row;
    }
  }
}

TEST(EncodingRoundTripTest, MissingShortenedAndStrangeFieldsAreRefused) {
  for (const auto& [name, tensor] : testing::EncodingSamples()) {
    const std::vector<EncodedField> fields = tensor->Fields();
    for (size_t i = 0; i < fields.size(); ++i) {
      std::vector<EncodedField> missing = fields;
      missing.erase(missing.begin() + static_cast<int64_t>(i));
      EXPECT_FALSE(Rebuild(*tensor, missing, tensor->Parameters()).ok()) << name << " without " << fields[i].name;
      const Shape& shape = fields[i].tensor.shape();
      if (fields[i].tensor.elements() == 0) continue;
      std::vector<EncodedField> longer = fields;
      Shape more = shape;
      more[0] += 1;
      const uint64_t bytes = static_cast<uint64_t>(ElementCount(more)) * DTypeSize(fields[i].tensor.dtype());
      auto owner = std::make_shared<std::vector<std::byte>>(bytes);
      longer[i].tensor = *Tensor::View(fields[i].tensor.dtype(), more, *owner, owner);
      EXPECT_FALSE(Rebuild(*tensor, longer, tensor->Parameters()).ok()) << name << " with a longer " << fields[i].name;
    }
    std::vector<EncodedField> strange = fields;
    strange.push_back({"strange", fields[0].tensor});
    EXPECT_FALSE(Rebuild(*tensor, strange, tensor->Parameters()).ok()) << name;
  }
}

TEST(EncodingRoundTripTest, ForgedParametersAreRefusedWithoutACrash) {
  for (const auto& [name, tensor] : testing::EncodingSamples()) {
    const nlohmann::json stated = tensor->Parameters();
    for (const auto& [key, value] : stated.items()) {
      for (const nlohmann::json& forged : {nlohmann::json(), nlohmann::json(-7), nlohmann::json(int64_t{1} << 62),
                                           nlohmann::json("x"), nlohmann::json::array({1})}) {
        nlohmann::json parameters = tensor->Parameters();
        parameters[key] = forged;
        EXPECT_FALSE(Rebuild(*tensor, tensor->Fields(), parameters).ok()) << name << " " << key << " " << forged;
      }
    }
  }
}

}  // namespace
}  // namespace tersor
