#include "client/recipe/utf8.h"

#include "gtest/gtest.h"

namespace tersor::client {
namespace {

TEST(FindInvalidUtf8, AcceptsWellFormedText) {
  for (absl::string_view good : {"", "plain",
                                 "gr\xC3\xB6\xC3\x9F"
                                 "e",
                                 "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD"}) {
    EXPECT_EQ(FindInvalidUtf8(good), absl::string_view::npos) << good;
  }
}

TEST(FindInvalidUtf8, FindsTheFirstBadByte) {
  struct Case {
    absl::string_view text;
    size_t offset;
  };
  for (const Case& c : {Case{"ab\x80", 2}, Case{"\xC0\xAF", 0}, Case{"a\xC3", 1}, Case{"\xED\xA0\x80", 0},
                        Case{"\xF4\x90\x80\x80", 0}, Case{"\xE2\x82x", 0}, Case{"\xFF", 0}}) {
    EXPECT_EQ(FindInvalidUtf8(c.text), c.offset) << c.text;
  }
}

TEST(PositionOfByte, CountsLinesAndBytes) {
  SourcePosition position = PositionOfByte("ab\ncd\nef", 7);
  EXPECT_EQ(position.line, 3);
  EXPECT_EQ(position.column, 2);
  position = PositionOfByte("abc", 0);
  EXPECT_EQ(position.line, 1);
  EXPECT_EQ(position.column, 1);
}

}  // namespace
}  // namespace tersor::client
