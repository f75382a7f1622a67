#include "core/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace tersor {
namespace {

TEST(Utf8Test, AcceptsEveryLength) {
  const std::string text = "a\xC2\x80\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF";
  EXPECT_EQ(ValidUtf8Prefix(text), text.size());
  EXPECT_TRUE(CheckUtf8(text).ok());
  EXPECT_TRUE(CheckUtf8("").ok());
  EXPECT_TRUE(CheckUtf8(absl::string_view("\0", 1)).ok());
}

TEST(Utf8Test, ReplacesWhatIsNoCharacter) {
  EXPECT_EQ(ReplaceInvalidUtf8(""), "");
  EXPECT_EQ(ReplaceInvalidUtf8("a\xC3\xA9"), "a\xC3\xA9");
  EXPECT_EQ(ReplaceInvalidUtf8("\xFFm\xC3"), "\xEF\xBF\xBDm\xEF\xBF\xBD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Utf8Test, StopsAtTheFirstFault) {
  struct Case {
    const char* what;
    std::string bytes;
  };
  const Case cases[] = {
      {"continuation first", "\x80"},
      {"overlong of two", "\xC1\xBF"},
      {"overlong of three", "\xE0\x9F\xBF"},
      {"surrogate", "\xED\xA0\x80"},
      {"overlong of four", "\xF0\x8F\xBF\xBF"},
      {"past U+10FFFF", "\xF4\x90\x80\x80"},
      {"lead that is none", "\xF5\x80\x80\x80"},
      {"cut off", "\xE2\x82"},
      {"third byte", "\xE2\x82\x41"},
      {"fourth byte", "\xF0\x9F\x98\xC0"},
  };
  for (const Case& item : cases) {
    EXPECT_EQ(ValidUtf8Prefix(item.bytes), 0) << item.what;
    EXPECT_EQ(ValidUtf8Prefix("ab\xC3\xA9" + item.bytes), 4) << item.what;
    EXPECT_EQ(CheckUtf8("ab" + item.bytes).message(), "not UTF-8 at byte 2") << item.what;
  }
}

}  // namespace
}  // namespace tersor
