#include "client/recipe/nearest_name.h"

#include "gtest/gtest.h"

namespace tersor::client {
namespace {

TEST(EditDistance, CountsEveryKindOfStep) {
  EXPECT_EQ(EditDistance("bits", "bits"), 0);
  EXPECT_EQ(EditDistance("bits", "bit"), 1);
  EXPECT_EQ(EditDistance("bits", "bots"), 1);
  EXPECT_EQ(EditDistance("bits", "btis"), 1);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(NearestName, FindsAMisspelling) {
  EXPECT_EQ(NearestName("group_sise", {"bits", "group_size", "symmetric"}), "group_size");
  EXPECT_EQ(NearestName("GPTQ", {"rtn", "gptq"}), "gptq");
}

TEST(NearestName, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(NearestName("colour", {"bits", "group_size"}), "");
  EXPECT_EQ(NearestName("", {"a"}), "");
  EXPECT_EQ(NearestName(std::string(100000, 'x'), {"bits"}), "");
}

TEST(NameHint, ListsAllNames) {
  EXPECT_EQ(NameHint("gptqq", {"rtn", "gptq"}, "known"), "; did you mean \"gptq\"? known: rtn, gptq");
  EXPECT_EQ(NameHint("zzz", {"rtn", "gptq"}, "known"), "; known: rtn, gptq");
}

}  // namespace
}  // namespace tersor::client
