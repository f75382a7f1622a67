#include "core/evaluate/metrics/answer_text.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(AnswerTextTest, CountsCodePointsNotBytes) {
  EXPECT_EQ(CodePoints(""), 0);
  EXPECT_EQ(CodePoints("abc"), 3);
  EXPECT_EQ(CodePoints("caf\xC3\xA9 \xE2\x82\xAC"), 6);
}

TEST(AnswerTextTest, NumbersAsPeopleWriteThem) {
  EXPECT_EQ(ParseNumber("18"), 18);
  EXPECT_EQ(ParseNumber(" $1,234.50. "), 1234.5);
  EXPECT_EQ(ParseNumber("-3"), -3);
  EXPECT_EQ(ParseNumber(""), std::nullopt);
  EXPECT_EQ(ParseNumber("18 eggs"), std::nullopt);
  EXPECT_EQ(ParseNumber("inf"), std::nullopt);
  EXPECT_EQ(ParseNumber("nan"), std::nullopt);
}

TEST(AnswerTextTest, ExtractsTheLastNumber) {
  EXPECT_EQ(ExtractNumber("first 3, then 1,200 dollars.", ""), "1,200");
  EXPECT_EQ(ExtractNumber("it costs $18.", ""), "$18");
  EXPECT_EQ(ExtractNumber("so -7", ""), "-7");
  EXPECT_EQ(ExtractNumber("none", ""), "");
  EXPECT_EQ(ExtractNumber("", ""), "");
}

TEST(AnswerTextTest, ExtractsTheNumberAfterTheMarker) {
  EXPECT_EQ(ExtractNumber("3 + 4 = 7\n#### 7\n\nQuestion 9", "####"), "7");
  EXPECT_EQ(ExtractNumber("3 + 4 = 7", "####"), "");
  EXPECT_EQ(ExtractNumber("#### 1\n#### 2", "####"), "2");
}

TEST(AnswerTextTest, NoAnswersMatchNothing) {
  EXPECT_EQ(ExactMatch("x", {}), 0);
  EXPECT_EQ(TokenF1("x", {}), 0);
}

}  // namespace
}  // namespace tersor
