#include "core/exports/model_card.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string CardOf(const v1::Recipe& recipe) {
  v1::Report report;
  *report.mutable_recipe() = recipe;
  return ModelCard(Model(), report, "safetensors", "Stored as they are.", {});
}

TEST(ModelCardTest, EveryMethodIsNamedWithItsOptions) {
  const auto* methods = v1::QuantizeStage::descriptor()->FindOneofByName("method");
  for (int i = 0; i < methods->field_count(); ++i) {
    const auto* method = methods->field(i);
    v1::Recipe recipe;
    v1::QuantizeStage* stage = recipe.add_stages()->mutable_quantize();
    google::protobuf::Message& options = *stage->GetReflection()->MutableMessage(stage, method);
    const auto* bits = options.GetDescriptor()->FindFieldByName("bits");
    if (bits != nullptr) options.GetReflection()->SetInt32(&options, bits, 4);
    EXPECT_THAT(CardOf(recipe),
                HasSubstr(absl::StrCat("\n1. `", method->name(), bits != nullptr ? " bits 4" : "", "`\n")));
  }
}

TEST(ModelCardTest, TellsHeadSkipActivationsAndCache) {
  v1::Recipe recipe;
  v1::QuantizeStage* stage = recipe.add_stages()->mutable_quantize();
  stage->mutable_smoothquant()->set_alpha(0.75);
  stage->mutable_activations()->set_bits(8);
  stage->mutable_head()->set_bits(8);
  // A recipe's words cannot end the line.
  stage->add_skip("re:`a`\n# b");
  recipe.mutable_kv()->set_bits(4);
  const std::string card = CardOf(recipe);
  EXPECT_THAT(card,
              HasSubstr("1. `smoothquant alpha 0.75 + activations int, bits 8 + head bits 8 + skip re: a  # b`\n"));
  EXPECT_THAT(card, HasSubstr("keys and values in 4 bits"));
  EXPECT_THAT(CardOf(v1::Recipe()), HasSubstr("The weights were not compressed"));
  EXPECT_THAT(CardOf(v1::Recipe()), Not(HasSubstr("1. ")));
}

}  // namespace
}  // namespace tersor
