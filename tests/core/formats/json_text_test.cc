#include "core/formats/json_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

TEST(JsonTextTest, ParsesAnObject) {
  absl::StatusOr<nlohmann::json> value = ParseJsonObject(R"({"a": [1, {"b": 2}], "c": {"b": 3}})", "x.json");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ((*value)["a"][1]["b"], 2);
}

TEST(JsonTextTest, BrokenTextIsAnErrorThatNamesTheFile) {
  for (absl::string_view text : {"", "{", "{\"a\":}", "{} x", "\xff", "{\"a\": \"\xc3\"}"}) {
    absl::StatusOr<nlohmann::json> value = ParseJson(text, "x.json");
    EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(value.status().message(), HasSubstr("x.json"));
  }
}

TEST(JsonTextTest, TheFaultHasAPlace) {
  const auto message = [](absl::string_view text) { return std::string(ParseJson(text, "x.json").status().message()); };
  EXPECT_THAT(message("{\n \"a\": 1,\n \"b\": }\n"), HasSubstr("x.json: not valid JSON: line 3, column 7"));
  EXPECT_THAT(message("{\"a\": 1"), HasSubstr("unexpected end of input"));
  EXPECT_THAT(message("{\"a\": NaN}"), HasSubstr("line 1, column 7"));
  EXPECT_THAT(message("{\"a\": NaN}"), HasSubstr("JSON has no NaN"));
  EXPECT_THAT(message("{\"a\": -Infinity}"), HasSubstr("JSON has no NaN"));
  EXPECT_THAT(message(""), HasSubstr("it is empty"));
  EXPECT_THAT(message("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("Git LFS pointer"));
  EXPECT_EQ(message("{\"a\": \"\xff\"}").find('\xff'), std::string::npos);
}

TEST(JsonTextTest, KeyThatStandsTwiceIsRefused) {
  EXPECT_THAT(ParseJson(R"({"a": {"k": 1, "k": 2}})", "x").status().message(), HasSubstr("\"k\" stands twice"));
  EXPECT_TRUE(ParseJson(R"([{"k": 1}, {"k": 2}])", "x").ok());
}

TEST(JsonTextTest, DeepNestingIsRefused) {
  const std::string deep(100000, '[');
  EXPECT_THAT(ParseJson(deep, "x").status().message(), HasSubstr("deeper"));
  EXPECT_TRUE(ParseJson(std::string(60, '[') + std::string(60, ']'), "x").ok());
}

TEST(JsonTextTest, ManySmallValuesAreRefused) {
  std::string text = "[";
  for (int i = 0; i < 5'000'000; ++i) text += "[],";
  text += "[]]";
  EXPECT_THAT(ParseJson(text, "x").status().message(), HasSubstr("more than 4194304 values"));
  EXPECT_TRUE(ParseJson(text.substr(0, 3'000'001) + "[]]", "x").ok());
}

TEST(JsonTextTest, TopLevelMustBeAnObjectWhereAsked) {
  EXPECT_THAT(ParseJsonObject("[1]", "x").status().message(), HasSubstr("not a JSON object"));
}

TEST(JsonTextTest, TextNeverFails) { EXPECT_EQ(JsonText("\xff"), "\"\xEF\xBF\xBD\""); }

}  // namespace
}  // namespace tersor
