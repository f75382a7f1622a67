#include "core/evaluate/metrics/entity_match.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(EntityMatchTest, CountsWholeEntitiesOfTheRightType) {
  const EntityCounts counts = CountEntities(" PER: Peter Blackburn; LOC: Brussels; ORG: EU",
                                            {"PER: peter blackburn", "ORG: Brussels", "ORG: EU"});
  EXPECT_EQ(counts.right, 2);
  EXPECT_EQ(counts.predicted, 3);
  EXPECT_EQ(counts.gold, 3);
  EXPECT_DOUBLE_EQ(EntityF1(counts), 2.0 / 3);
}

TEST(EntityMatchTest, AGoldEntityIsFoundOnce) {
  const EntityCounts counts = CountEntities("LOC: Rome\nLOC: Rome", {"LOC: Rome"});
  EXPECT_EQ(counts.right, 1);
  EXPECT_EQ(counts.predicted, 2);
}

TEST(EntityMatchTest, NothingListedIsNothingPredicted) {
  EXPECT_EQ(CountEntities("none", {"LOC: Rome"}).predicted, 0);
  EXPECT_EQ(CountEntities("", {}).gold, 0);
  EXPECT_EQ(EntityF1({}), 0);
}

}  // namespace
}  // namespace tersor
