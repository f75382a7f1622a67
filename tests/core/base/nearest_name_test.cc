#include "core/base/nearest_name.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

const std::vector<std::string> kKnown = {"kl_mean", "kl_p99", "perplexity_ratio"};

TEST(NearestNameTest, FindsSlips) {
  EXPECT_EQ(NearestName("kl_men", kKnown), "kl_mean");
  EXPECT_EQ(NearestName("kl_p9", kKnown), "kl_p99");
  EXPECT_EQ(NearestName("perplexty_ration", kKnown), "perplexity_ratio");
}

TEST(NearestNameTest, LeavesOtherWordsAlone) {
  EXPECT_EQ(NearestName("accuracy", kKnown), "");
  EXPECT_EQ(NearestName("", kKnown), "");
  EXPECT_EQ(NearestName(std::string(100000, 'k'), kKnown), "");
}

TEST(NearestNameTest, HintSeesPastCapitals) {
  EXPECT_EQ(NameHint("KL_Mean", {"kl_mean", "size"}, "known keys"),
            "; did you mean \"kl_mean\"? known keys: kl_mean, size");
  EXPECT_EQ(NameHint("", {"a"}), "; known: a");
}

TEST(NearestNameTest, MessageListsWhatThereIs) {
  EXPECT_EQ(UnknownName("metric", "kl_men", kKnown),
            "metric \"kl_men\" is not known; did you mean \"kl_mean\"? known: kl_mean, kl_p99, perplexity_ratio");
  EXPECT_EQ(UnknownName("metric", "accuracy", kKnown),
            "metric \"accuracy\" is not known; known: kl_mean, kl_p99, perplexity_ratio");
}

}  // namespace
}  // namespace tersor
