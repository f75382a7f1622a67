#include "core/formats/file_kind.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FileKindTest, NamesWhatDownloadsLeaveBehind) {
  EXPECT_THAT(WhatItIs("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 462176\n"),
              HasSubstr("Git LFS pointer"));
  EXPECT_THAT(WhatItIs("/annex/objects/SHA256E-s5--00.safetensors\n"), HasSubstr("git-annex"));
  EXPECT_THAT(WhatItIs("<!DOCTYPE html><html><body>Sign in</body></html>"), HasSubstr("web page"));
  EXPECT_THAT(WhatItIs("<HTML>"), HasSubstr("web page"));
  EXPECT_THAT(WhatItIs("Entry not found"), HasSubstr("the text \"Entry not found\""));
  EXPECT_THAT(WhatItIs("Access denied\nask the owner\n"), HasSubstr("the text \"Access denied\""));
  EXPECT_THAT(WhatItIs(""), HasSubstr("empty"));
  EXPECT_THAT(WhatItIs(std::string(100, '\0')), HasSubstr("zero bytes"));
}

TEST(FileKindTest, NamesModelFilesOfOtherKinds) {
  EXPECT_THAT(WhatItIs(std::string("PK\3\4\0\0", 6)), HasSubstr("PyTorch"));
  EXPECT_THAT(WhatItIs("\x80\x02}q"), HasSubstr("pickle"));
  EXPECT_THAT(WhatItIs(std::string("GGUF\3\0\0\0", 8)), HasSubstr("GGUF"));
  EXPECT_THAT(WhatItIs("\xff\xfe{"), HasSubstr("UTF-16"));
  EXPECT_THAT(WhatItIs(std::string("\x1f\x8b\x08\0", 4)), HasSubstr("gzip"));
}

TEST(FileKindTest, SaysNothingOfWhatItDoesNotKnow) {
  EXPECT_THAT(WhatItIs("{\"a\": }"), IsEmpty());
  EXPECT_THAT(WhatItIs("[1, 2"), IsEmpty());
  EXPECT_THAT(WhatItIs("\x01\x02\x03\x04"), IsEmpty());
  EXPECT_THAT(WhatItIs("text with an \xff in it"), IsEmpty());
  EXPECT_THAT(WhatItIs(std::string(5000, 'x')), IsEmpty());
  EXPECT_THAT(WhatItIsHint("\x01"), IsEmpty());
  EXPECT_EQ(WhatItIsHint("busy"), ": it holds the text \"busy\"");
}

TEST(FileKindTest, ALongLineIsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 119; ++i) text += 'a';
  text += "\xc3\xa9\xc3\xa9";
  EXPECT_EQ(WhatItIs(text), "it holds the text \"" + text.substr(0, 119) + "\"");
}

}  // namespace
}  // namespace tersor
