#include "core/text/python_regex.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PythonRegex Compiled(absl::string_view pattern) {
  absl::StatusOr<PythonRegex> regex = PythonRegex::Compile(pattern);
  EXPECT_TRUE(regex.ok()) << regex.status();
  return *std::move(regex);
}

std::vector<std::vector<std::string>> All(absl::string_view pattern, absl::string_view text) {
  const auto matches = Compiled(pattern).FindAll(text);
  EXPECT_TRUE(matches.ok()) << matches.status();
  return *matches;
}

std::string Replaced(absl::string_view pattern, absl::string_view text, absl::string_view replacement = "") {
  const auto replaced = Compiled(pattern).ReplaceAll(text, replacement);
  EXPECT_TRUE(replaced.ok()) << replaced.status();
  return *replaced;
}

// What CPython 3.11's re answers to the same calls.
TEST(PythonRegexTest, FindsAllWithGroups) {
  EXPECT_THAT(All(R"((-?[$0-9.,]{2,})|(-?[0-9]+))", "a -1, then $2.50 and 7"),
              ElementsAre(ElementsAre("-1,", ""), ElementsAre("$2.50", ""), ElementsAre("", "7")));
  EXPECT_THAT(All(R"(#### (\-?[0-9\.\,]+))", "#### 1,8\n#### -3."),
              ElementsAre(ElementsAre("1,8"), ElementsAre("-3.")));
  EXPECT_THAT(All("ab", "cd"), IsEmpty());
}

TEST(PythonRegexTest, CountsMayHaveNoLeast) {
  EXPECT_EQ(Replaced("ax{,3}b", "ab axxxb axxxxb ax{,3}b", "-"), "- - axxxxb ax{,3}b");
  EXPECT_EQ(Replaced("^x{,}b", "xxxxxb", "-"), "-");
  EXPECT_EQ(Replaced(R"(x\{,3}|[]x{,3}]+|[^]{,3}]z)", "x{,3} ]3}, yz", "-"), "- - -");
  EXPECT_EQ(Replaced(R"([\]{,3}]{,2}!)", "{,3]!", "-"), "{,-");
  EXPECT_EQ(Replaced("x{,a}{", "x{,a}{", "-"), "-");
  EXPECT_FALSE(PythonRegex::Compile("{,3}").ok());
  EXPECT_FALSE(PythonRegex::Compile("[a{,3}").ok());
}

TEST(PythonRegexTest, EmptyMatchesAdvance) {
  EXPECT_THAT(All("a*", "baac"), ElementsAre(ElementsAre(""), ElementsAre("aa"), ElementsAre(""), ElementsAre("")));
  EXPECT_THAT(All("", "\u00E9x"), ElementsAre(ElementsAre(""), ElementsAre(""), ElementsAre("")));
  EXPECT_EQ(Replaced("x*", "a\u00E9c", "-"), "-a-\u00E9-c-");
}

TEST(PythonRegexTest, ClassesAreUnicodes) {
  EXPECT_THAT(All(R"(\d+)", "12 \u0663\u0664"), ElementsAre(ElementsAre("12"), ElementsAre("\u0663\u0664")));
  EXPECT_THAT(All(R"(\bthe\b)", "\u00E9the the\u00E9 the"), ElementsAre(ElementsAre("the")));
  EXPECT_THAT(All(R"(a\sb)", "a\u00A0b"), ElementsAre(ElementsAre("a\u00A0b")));
}

TEST(PythonRegexTest, EndsAreToldApart) {
  EXPECT_EQ(Replaced(R"(\.$)", "18.\n"), "18\n");
  EXPECT_EQ(Replaced(R"(\.\Z)", "18.\n"), "18.\n");
  EXPECT_EQ(Replaced(R"(\\Z)", R"(a\Z)"), "a");
  EXPECT_EQ(Replaced("(?s).*#### ", "x\n#### 1\n#### 2"), "2");
}

TEST(PythonRegexTest, LookaroundAndNamedGroups) {
  EXPECT_TRUE(*Compiled(R"((?!.*lm_head)model\..*)").MatchesStart("model.layers.0.q_proj"));
  EXPECT_FALSE(*Compiled(R"((?!.*lm_head)model\..*)").MatchesStart("model.lm_head"));
  EXPECT_FALSE(*Compiled("layers").MatchesStart("model.layers"));
  EXPECT_TRUE(*Compiled("layers").Finds("model.layers"));
  EXPECT_THAT(All(R"((?P<letter>[a-c])(?P=letter))", "aabc cc"), ElementsAre(ElementsAre("a"), ElementsAre("c")));
}

TEST(PythonRegexTest, FaultsNameTheirPlace) {
  const auto faulty = PythonRegex::Compile("ab(c");
  EXPECT_EQ(faulty.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(faulty.status().message(), HasSubstr("\"ab(c\" is wrong at character 4"));
  EXPECT_EQ(PythonRegex::Compile("a\xFF").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PythonRegex::Compile(std::string(1 << 15, 'a')).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Compiled("a").Finds("\xFF").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PythonRegexTest, EndlessBacktrackingIsGivenUp) {
  const auto found = Compiled("(a+)+$").Finds(std::string(64, 'a') + "b");
  EXPECT_EQ(found.status().code(), absl::StatusCode::kResourceExhausted) << found.status();
}

}  // namespace
}  // namespace tersor
