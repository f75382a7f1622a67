#include "core/evaluate/tasks/text_template.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

std::string Render(absl::string_view text, const char* item) {
  const auto parsed = TextTemplate::Parse(text);
  if (!parsed.ok()) return std::string(parsed.status().message());
  const auto rendered = parsed->Render(nlohmann::json::parse(item));
  return rendered.ok() ? *rendered : std::string(rendered.status().message());
}

TEST(TextTemplateTest, PutsFieldsIn) {
  EXPECT_EQ(Render("", "{}"), "");
  EXPECT_EQ(Render("Q: {q}\nA: {a}", R"({"q": "why {x}?", "a": 3})"), "Q: why {x}?\nA: 3");
  EXPECT_EQ(Render("{s|words}", R"({"s": "high_school_biology"})"), "high school biology");
  EXPECT_EQ(Render("{{q}} {q}", R"({"q": "x"})"), "{q} x");
}

TEST(TextTemplateTest, TakesWhatStandsAfterAMark) {
  EXPECT_EQ(Render("Q: {c|after:Question: }", R"({"c": "About it.\nQuestion: not this\nQuestion: why?\nAnswer:"})"),
            "Q: why?\nAnswer:");
  EXPECT_THAT(Render("{c|after:Question: }", R"({"c": "no mark"})"), HasSubstr("the item's c has no \"Question: \""));
}

TEST(TextTemplateTest, NamesTheFieldThatIsMissing) {
  const std::string fault = Render("{question}", R"({"id": "1", "query": "x"})");
  EXPECT_THAT(fault, HasSubstr("{question}"));
  EXPECT_THAT(fault, HasSubstr("id, query"));
  EXPECT_THAT(Render("{q}", R"({"q": ["x"]})"), HasSubstr("neither text nor a number"));
}

TEST(TextTemplateTest, RefusesWhatIsNoTemplate) {
  for (const char* text : {"{", "a {b", "}", "{}", "{a b}", "{a|upper}", "{a|after:}", "{a|after}", "{{{", "x } y"}) {
    const auto parsed = TextTemplate::Parse(text);
    EXPECT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("byte ")) << text;
  }
  EXPECT_FALSE(TextTemplate::Parse("\xFF").ok());
}

}  // namespace
}  // namespace tersor
