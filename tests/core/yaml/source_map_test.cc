#include "core/yaml/source_map.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

SourceMap ExampleMap() {
  SourceMap map;
  map.Add({"stages", "stages"}, {3, 3});
  map.Add({"stages[0].quantize", "stages[0].quantize"}, {3, 15});
  map.Add({"stages[0].quantize.gptq", "stages[0].quantize"}, {3, 24});
  map.Add({"stages[0].quantize.gptq.bits", "stages[0].quantize.bits"}, {4, 9});
  return map;
}

TEST(SourceMap, TurnsServerFieldsIntoWhatTheFileSays) {
  DocumentFault fault = ExampleMap().Locate("stages[0].quantize.gptq.bits", "must be 2..8");
  EXPECT_EQ(FormatFault("recipe.yaml", fault), "recipe.yaml:4:9: stages[0].quantize.bits: must be 2..8");
}

TEST(SourceMap, AcceptsTheSpelledFormToo) {
  DocumentFault fault = ExampleMap().Locate("stages[0].quantize.bits", "must be 2..8");
  EXPECT_EQ(FormatFault("r.yaml", fault), "r.yaml:4:9: stages[0].quantize.bits: must be 2..8");
}

TEST(SourceMap, ADefaultStandsAtItsParent) {
  DocumentFault fault = ExampleMap().Locate("stages[0].quantize.gptq.group_size", "64 does not divide 100");
  EXPECT_EQ(FormatFault("r.yaml", fault), "r.yaml:3:24: stages[0].quantize.group_size: 64 does not divide 100");
}

TEST(SourceMap, UnknownFieldsStandAtTheTop) {
  EXPECT_EQ(FormatFault("r.yaml", ExampleMap().Locate("calibration.dataset", "missing")),
            "r.yaml:1:1: calibration.dataset: missing");
}

TEST(SourceMap, ItemsFallBackToTheirList) {
  EXPECT_EQ(FormatFault("r.yaml", ExampleMap().Locate("stages[7].quantize", "no")),
            "r.yaml:3:3: stages[7].quantize: no");
}

TEST(PositionOfByte, CountsLinesAndBytes) {
  SourcePosition position = PositionOfByte("ab\ncd\nef", 7);
  EXPECT_EQ(position.line, 3);
  EXPECT_EQ(position.column, 2);
  position = PositionOfByte("abc", 0);
  EXPECT_EQ(position.line, 1);
  EXPECT_EQ(position.column, 1);
}

TEST(SortFaults, OrdersByPlaceAndDropsRepeats) {
  std::vector<DocumentFault> faults = {{"b", "x", {2, 1}}, {"a", "x", {1, 9}}, {"b", "x", {2, 1}}, {"c", "x", {1, 2}}};
  SortFaults(faults);
  ASSERT_EQ(faults.size(), 3u);
  EXPECT_EQ(faults[0].field, "c");
  EXPECT_EQ(faults[1].field, "a");
  EXPECT_EQ(faults[2].field, "b");
}

}  // namespace
}  // namespace tersor
