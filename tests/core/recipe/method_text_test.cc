#include "core/recipe/method_text.h"

#include "absl/strings/str_cat.h"
#include "core/recipe/stage_method.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

v1::Recipe Parse(const char* text) {
  v1::Recipe recipe;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &recipe));
  return recipe;
}

TEST(MethodTextTest, SaysWhatWasSetAndNothingElse) {
  EXPECT_EQ(MethodText(v1::Recipe()), "");
  EXPECT_EQ(MethodText(Parse("stages { quantize { gptq {} } }")), "gptq");
  EXPECT_EQ(MethodText(Parse("stages { quantize { rtn { bits: 4 } } }")), "rtn bits 4");
  EXPECT_EQ(MethodText(Parse("stages { quantize { rtn { bits: 4 symmetric: true } } }")), "rtn bits 4, symmetric");
  EXPECT_EQ(MethodText(Parse("stages { quantize {} }")), "none");
  EXPECT_EQ(MethodText(Parse("stages { quantize { gptq { bits: 4 symmetric: false scale_search: SCALE_SEARCH_MSE "
                             "damping: 0.05 } } }")),
            "gptq bits 4, not symmetric, scale_search mse, damping 0.05");
}

// W4 and W4A8 with a cache of 4 bits are not the same thing.
TEST(MethodTextTest, ActivationsHeadSkipAndCacheAreTold) {
  EXPECT_EQ(MethodText(Parse("stages { quantize { rtn { bits: 4 } activations {} } } kv { bits: 4 keys: 'channel' }")),
            "rtn bits 4 + activations int; kv bits 4, keys channel");
  EXPECT_EQ(MethodText(Parse("stages { quantize { rtn {} activations { format: 'e4m3' group_size: 32 } head { bits: 8 "
                             "tie: 'untie' } skip: 'down_proj' skip: 're:.*o_proj' } }")),
            "rtn + activations e4m3, group_size 32 + head tie untie, bits 8 + skip down_proj re:.*o_proj");
  EXPECT_EQ(MethodText(Parse("stages { quantize { rtn {} skip: 'a' } } stages { quantize { nf4 {} skip: 'b' } }")),
            "rtn + skip a; nf4 + skip b");
}

TEST(MethodTextTest, PruningAndWhatFollowsAreTold) {
  EXPECT_EQ(MethodText(Parse("stages { prune { wanda {} } } stages { quantize { gptq { bits: 4 } } }")),
            "wanda; gptq bits 4");
  EXPECT_EQ(MethodText(Parse("stages { prune { pattern: '2:4' skip: 'down_proj' sparsegpt { bits: 4 } } }")),
            "sparsegpt bits 4, pattern 2:4 + skip down_proj");
  EXPECT_EQ(MethodText(Parse("stages { prune { sparsity: 0.7 allocation: 'owl' alps {} } }")),
            "alps, sparsity 0.7, allocation owl");
  EXPECT_EQ(MethodText(Parse("stages {}")), "");
}

void SetSomething(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field) {
  using google::protobuf::FieldDescriptor;
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, &field, true);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, &field, 3);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.SetDouble(&message, &field, 0.25);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, &field, "word");
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnum(&message, &field, field.enum_type()->value(1));
    default:
      FAIL() << "no text for an option like " << field.full_name();
  }
}

TEST(MethodTextTest, EveryMethodAndEveryOptionHasWords) {
  const auto* methods = v1::QuantizeStage::descriptor()->FindOneofByName("method");
  ASSERT_GE(methods->field_count(), 17);
  for (int i = 0; i < methods->field_count(); ++i) {
    const std::string& name = methods->field(i)->name();
    v1::QuantizeStage stage;
    google::protobuf::Message& options = *stage.GetReflection()->MutableMessage(&stage, methods->field(i));
    EXPECT_EQ(StageText(stage), name);
    for (int j = 0; j < options.GetDescriptor()->field_count(); ++j) {
      SetSomething(options, *options.GetDescriptor()->field(j));
    }
    EXPECT_THAT(StageText(stage), StartsWith(name));
    for (int j = 0; j < options.GetDescriptor()->field_count(); ++j) {
      EXPECT_THAT(StageText(stage), HasSubstr(options.GetDescriptor()->field(j)->name())) << name;
    }
    EXPECT_THAT(StageText(stage), ::testing::Not(HasSubstr("given"))) << name;
  }
}

}  // namespace
}  // namespace tersor
