// What compressed-tensors itself takes a target for: tests/tools/record_target_matching.py.
#include "core/formats/compressed_tensors_scheme.h"

#include <set>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Json Group(std::vector<std::string> targets, int bits) {
  return {{"targets", std::move(targets)},
          {"weights", {{"num_bits", bits}, {"group_size", 32}, {"strategy", "group"}}}};
}

std::vector<int> BitsOf(const Json& groups, absl::string_view module) {
  const absl::StatusOr<CompressedTensorsScheme> scheme =
      ParseCompressedTensorsScheme({{"format", "pack-quantized"}, {"config_groups", groups}});
  EXPECT_TRUE(scheme.ok()) << scheme.status();
  const absl::StatusOr<std::vector<WeightScheme>> schemes = SchemesOf(*scheme, module);
  std::vector<int> bits;
  for (size_t i = 0; schemes.ok() && i < schemes->size(); ++i) bits.push_back((*schemes)[i].bits);
  return bits;
}

TEST(CompressedTensorsSchemeTest, TargetsFitWhatTheyFitInThePackage) {
  const Json recorded = Json::parse(*ReadFile(testing::FixturesPath() / "compressed_tensors" / "target_matching.json"));
  ASSERT_GT(recorded["cases"].size(), 30);
  int fitting = 0;
  for (const Json& test : recorded["cases"]) {
    const auto expected = test["modules"].get<std::set<std::string>>();
    for (const std::string module : recorded["modules"]) {
      const std::vector<int> bits = BitsOf({{"group_0", Group({test["target"]}, 4)}}, module);
      EXPECT_EQ(bits.size(), expected.count(module)) << test["target"] << " of " << module;
      fitting += static_cast<int>(bits.size());
    }
  }
  EXPECT_GT(fitting, 200);
}

TEST(CompressedTensorsSchemeTest, NamesComeBeforePatternsBeforeClasses) {
  const Json groups = {{"group_0", Group({"Linear"}, 2)},
                       {"group_1", Group({"re:.*up_proj"}, 3)},
                       {"group_2", Group({"model.layers.0.mlp.up_proj"}, 4)},
                       {"group_3", Group({"re:.*proj"}, 8)}};
  EXPECT_THAT(BitsOf(groups, "model.layers.0.mlp.up_proj"), ElementsAre(4, 3, 8, 2));
  EXPECT_THAT(BitsOf(groups, "model.layers.1.mlp.up_proj"), ElementsAre(3, 8, 2));
  EXPECT_THAT(BitsOf(groups, "lm_head"), ElementsAre(2));
}

TEST(CompressedTensorsSchemeTest, GroupsWithoutWeightsAreNotes) {
  const Json attention = {{"targets", {"LlamaAttention"}}, {"input_activations", {{"num_bits", 8}}}};
  const auto scheme =
      ParseCompressedTensorsScheme({{"config_groups", {{"attention", attention}, {"group_0", Group({"Linear"}, 4)}}}});
  ASSERT_TRUE(scheme.ok()) << scheme.status();
  EXPECT_THAT(scheme->targets, SizeIs(1));
  ASSERT_THAT(scheme->notes, SizeIs(1));
  EXPECT_THAT(scheme->notes[0], HasSubstr("LlamaAttention"));
}

TEST(CompressedTensorsSchemeTest, ABrokenExpressionIsNamedWithItsGroup) {
  const auto scheme = ParseCompressedTensorsScheme({{"config_groups", {{"group_7", Group({"re:(up"}, 4)}}}});
  EXPECT_THAT(scheme.status().message(), HasSubstr("config group \"group_7\": target \"re:(up\""));
}

TEST(CompressedTensorsSchemeTest, AHostileExpressionEndsInAnError) {
  const auto scheme =
      ParseCompressedTensorsScheme({{"config_groups", {{"group_0", Group({"re:(?:(?:a+)+)+\\1?b(?<!x)()"}, 4)}}}});
  if (!scheme.ok()) return;
  const auto schemes = SchemesOf(*scheme, std::string(5000, 'a'));
  EXPECT_FALSE(schemes.ok());
}

}  // namespace
}  // namespace tersor
