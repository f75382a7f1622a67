#include "core/report/escape.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(EscapeTest, XmlHasNoMarkupLeft) {
  EXPECT_EQ(EscapeXml("<script>alert('a' & \"b\")</script>"),
            "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;");
  EXPECT_EQ(EscapeXml("line\n\ttab"), "line\n\ttab");
}

TEST(EscapeTest, XmlForbiddenCharactersAreReplaced) {
  EXPECT_EQ(EscapeXml(absl::string_view("a\0b\x1B[31m", 8)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD[31m");
  EXPECT_EQ(EscapeXml("\xEF\xBF\xBF"), "\xEF\xBF\xBD");
}

TEST(EscapeTest, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(EscapeXml("a\xFF\xC3"), "a\xEF\xBF\xBD\xEF\xBF\xBD");
  // A slash in two bytes, a surrogate, a character past the last.
  EXPECT_EQ(EscapeXml("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(EscapeXml("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(EscapeXml("\xF4\x90\x80\x80").size(), 12);
  EXPECT_EQ(EscapeXml("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"), "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
}

TEST(EscapeTest, MarkdownHasNoMarkupMentionsOrBreaks) {
  EXPECT_EQ(EscapeMarkdown("a|b\n*c* [d](e) <f>"), "a\\|b \\*c\\* \\[d\\]\\(e\\) \\<f\\>");
  EXPECT_EQ(EscapeMarkdown("@team #1"),
            "@\xE2\x80\x8Bteam #\xE2\x80\x8B"
            "1");
}

TEST(EscapeTest, TerminalGetsNoControls) {
  EXPECT_EQ(EscapeTerminal("\x1B[2Jx\r\ny\xC2\x9B"
                           "m"),
            "?[2Jx??y?m");
  // Right-to-left override.
  EXPECT_EQ(EscapeTerminal("a\xE2\x80\xAE"
                           "b"),
            "a?b");
}

}  // namespace
}  // namespace tersor
