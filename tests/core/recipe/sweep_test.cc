#include "core/recipe/sweep.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Recipe Parse(const std::string& text) {
  v1::Recipe recipe;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &recipe));
  return recipe;
}

std::vector<std::string> Names(const std::vector<SweepPoint>& points) {
  std::vector<std::string> names;
  for (const SweepPoint& point : points) names.push_back(point.Name());
  return names;
}

std::vector<SweepPoint> Expand(const std::string& text) {
  std::vector<FieldViolation> violations;
  std::vector<SweepPoint> points = ExpandSweep(Parse(text), violations);
  for (const FieldViolation& violation : violations) ADD_FAILURE() << violation.field << ": " << violation.description;
  return points;
}

TEST(SweepTest, PointsAreTheProductOfTheAxes) {
  const std::vector<SweepPoint> points = Expand(R"pb(
    model: "m"
    stages {
      quantize {
        skip: "down_proj"
        gptq { damping: 0.5 }
      }
    }
    sweep {
      bits: [ 3, 4 ]
      group_sizes: [ 32, 64 ]
    })pb");
  EXPECT_THAT(Names(points), ElementsAre("bits=3 group_size=32", "bits=3 group_size=64", "bits=4 group_size=32",
                                         "bits=4 group_size=64"));
  const v1::Recipe last = points[3].recipe();
  EXPECT_FALSE(last.has_sweep());
  EXPECT_EQ(last.model(), "m");
  EXPECT_EQ(last.stages(0).quantize().gptq().bits(), 4);
  EXPECT_EQ(last.stages(0).quantize().gptq().group_size(), 64);
  EXPECT_EQ(last.stages(0).quantize().gptq().damping(), 0.5) << "what no axis names stays";
  EXPECT_THAT(last.stages(0).quantize().skip(), ElementsAre("down_proj"));
}

TEST(SweepTest, PruningVariesBesideQuantization) {
  const std::vector<SweepPoint> points = Expand(R"pb(
    stages { quantize { gptq {} } }
    sweep {
      prune_methods { wanda {} }
      prune_methods {
        pattern: "2:4"
        sparsegpt {}
      }
      sparsities: [ 0.3, 0.5 ]
      bits: [ 4 ]
    })pb");
  // A pattern says itself how much is left out: its point comes once.
  EXPECT_THAT(Names(points),
              ElementsAre("prune_method=wanda sparsity=0.3 bits=4", "prune_method=wanda sparsity=0.5 bits=4",
                          "prune_method=sparsegpt 2:4 bits=4"));
  const v1::Recipe last = points[2].recipe(), first = points[0].recipe();
  ASSERT_EQ(last.stages_size(), 2);
  EXPECT_EQ(last.stages(0).prune().pattern(), "2:4") << "pruning comes first";
  EXPECT_TRUE(last.stages(1).quantize().has_gptq());
  EXPECT_EQ(first.stages(0).prune().sparsity(), 0.3);
}

TEST(SweepTest, SparsitiesNeedAStage) {
  std::vector<FieldViolation> violations;
  ExpandSweep(Parse("stages { quantize { rtn {} } } sweep { sparsities: 0.5 prune_methods {} }"), violations);
  ASSERT_EQ(violations.size(), 1);
  EXPECT_EQ(violations[0].field, "sweep.prune_methods[0]");
  violations.clear();
  ExpandSweep(Parse("stages { quantize { rtn {} } } sweep { sparsities: 0.5 }"), violations);
  ASSERT_EQ(violations.size(), 1);
  EXPECT_EQ(violations[0].field, "sweep.sparsities");
}

TEST(SweepTest, MethodsReplaceTheStagesMethod) {
  const std::vector<SweepPoint> points = Expand(R"pb(
    stages {
      quantize {
        skip: "down_proj"
        gptq { damping: 0.5 }
      }
    }
    sweep {
      methods { rtn {} }
      methods {
        skip: "o_proj"
        gptq { activation_order: false }
      }
      bits: 3
    })pb");
  EXPECT_THAT(Names(points), ElementsAre("method=rtn bits=3", "method=gptq(activation_order: false) bits=3"));
  EXPECT_EQ(points[0].recipe().stages(0).quantize().rtn().bits(), 3);
  EXPECT_THAT(points[0].recipe().stages(0).quantize().skip(), ElementsAre("down_proj"));
  EXPECT_FALSE(points[1].recipe().stages(0).quantize().gptq().has_damping());
  EXPECT_THAT(points[1].recipe().stages(0).quantize().skip(), ElementsAre("o_proj"));
}

TEST(SweepTest, MethodsNeedNoStageAndOtherAxesNoMethod) {
  const std::vector<SweepPoint> points = Expand(R"pb(
    calibration { dataset: "a" samples: 8 }
    sweep {
      models: [ "x", "y" ]
      methods { gptq {} }
      calibration { dataset: "b" }
      seeds: 7
    })pb");
  EXPECT_THAT(Names(points),
              ElementsAre("model=x method=gptq calibration=b seed=7", "model=y method=gptq calibration=b seed=7"));
  EXPECT_EQ(points[1].recipe().model(), "y");
  EXPECT_EQ(points[1].recipe().calibration().dataset(), "b");
  EXPECT_EQ(points[1].recipe().calibration().samples(), 8);
  EXPECT_EQ(points[1].recipe().calibration().seed(), 7);
}

TEST(SweepTest, APointWithoutTheOptionComesOnce) {
  // A stage that names no method has no bits to vary: both settings give the same recipe.
  std::vector<FieldViolation> violations;
  const auto points = ExpandSweep(Parse("stages { quantize {} } sweep { bits: [ 3, 4 ] models: [ 'm' ] }"), violations);
  EXPECT_THAT(Names(points), ElementsAre("model=m"));
}

TEST(SweepTest, EqualSettingsComeOnce) {
  EXPECT_EQ(Expand("sweep { methods { rtn {} } bits: [ 4, 4, 3 ] }").size(), 2u);
}

TEST(SweepTest, FaultsNameTheAxis) {
  const auto faults = [](const std::string& text) {
    std::vector<FieldViolation> violations;
    EXPECT_THAT(ExpandSweep(Parse(text), violations), IsEmpty());
    std::string all;
    for (const FieldViolation& violation : violations) {
      absl::StrAppend(&all, violation.field, ": ", violation.description, "\n");
    }
    return all;
  };
  EXPECT_THAT(faults("sweep {}"), HasSubstr("sweep: name at least one of models"));
  EXPECT_THAT(faults("sweep { bits: 3 group_sizes: 32 }"),
              AllOf(HasSubstr("sweep.bits: needs"), HasSubstr("sweep.group_sizes: needs")));
  EXPECT_THAT(faults("sweep { methods { skip: 'a' } }"), HasSubstr("sweep.methods[0]: name a method"));
  EXPECT_THAT(faults("stages { quantize { rtn {} } } stages { quantize { rtn {} } } sweep { bits: 3 }"),
              HasSubstr("several quantize stages"));
  std::string many = "stages { quantize { rtn {} } } sweep {";
  for (int i = 0; i < 40; ++i) absl::StrAppend(&many, " bits: ", i, " seeds: ", i);
  EXPECT_THAT(faults(many + "}"), HasSubstr("has 1600 points or more; at most 1024"));
}

TEST(SweepTest, PointsFaultsAreToldOnce) {
  const std::vector<SweepPoint> points = Expand("sweep { methods { rtn {} } bits: [ 3, 4 ] }");
  std::vector<FieldViolation> violations;
  AddPointViolations(points[0], {{"model", "not there"}}, violations);
  AddPointViolations(points[1], {{"model", "not there"}, {"stages[0]", "does not divide"}}, violations);
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[0].field, "sweep");
  EXPECT_EQ(violations[0].description, "method=rtn bits=3: model: not there");
  EXPECT_EQ(violations[1].description, "method=rtn bits=4: stages[0]: does not divide");
}

TEST(SweepTest, PlansAddUp) {
  const std::vector<SweepPoint> points = Expand("sweep { methods { rtn {} } bits: [ 3, 4 ] }");
  v1::Plan plan;
  plan.set_seconds(5);
  plan.set_disk_bytes(100);
  plan.set_peak_memory_bytes(70);
  plan.set_fingerprint("one");
  std::vector<v1::Plan> plans = {plan, plan};
  plans[1].set_peak_memory_bytes(90);
  const v1::Plan merged = MergePointPlans(points, plans);
  EXPECT_EQ(merged.seconds(), 10);
  EXPECT_EQ(merged.disk_bytes(), 200);
  EXPECT_EQ(merged.peak_memory_bytes(), 90);
  ASSERT_EQ(merged.stages_size(), 2);
  EXPECT_EQ(merged.stages(1).name(), "method=rtn bits=4");
  plans[1].set_fingerprint("two");
  EXPECT_NE(MergePointPlans(points, plans).fingerprint(), merged.fingerprint());
}

TEST(SweepTest, PlansTellWarningsAndGatesOnce) {
  const std::vector<SweepPoint> points = Expand("sweep { methods { rtn {} } bits: [ 3, 4 ] }");
  v1::Plan plan;
  v1::Warning* shared = plan.add_warnings();
  shared->set_code("PERPLEXITY_ONLY_GATE");
  shared->set_message("only perplexity");
  plan.add_powers()->set_gate("task_accuracy_drop <= 0.02");
  plan.mutable_powers(0)->set_decided(0.5);
  std::vector<v1::Plan> plans = {plan, plan};
  plans[0].add_warnings()->set_message("three bits are few");
  plans[1].mutable_powers(0)->set_decided(0.1);
  const v1::Plan merged = MergePointPlans(points, plans);
  ASSERT_EQ(merged.warnings_size(), 2);
  EXPECT_EQ(merged.warnings(0).message(), "only perplexity");
  EXPECT_EQ(merged.warnings(1).message(), "three bits are few (method=rtn bits=3)");
  ASSERT_EQ(merged.powers_size(), 1);
  EXPECT_EQ(merged.powers(0).decided(), 0.1);
}

TEST(SweepTest, RecipesOfAllPointsTogetherAreBounded) {
  v1::Recipe recipe = Parse("model: 'm' stages { quantize { gptq {} } }");
  recipe.set_description(std::string(65536, 'x'));
  for (int i = 0; i < 1000; ++i) recipe.mutable_sweep()->add_seeds(i);
  std::vector<FieldViolation> violations;
  EXPECT_EQ(ExpandSweep(recipe, violations).size(), 1000);
  EXPECT_THAT(violations, IsEmpty());
  recipe.mutable_sweep()->add_methods()->mutable_rtn();
  recipe.set_description(std::string(80000, 'x'));
  EXPECT_THAT(ExpandSweep(recipe, violations), IsEmpty());
  ASSERT_EQ(violations.size(), 1);
  EXPECT_THAT(violations[0].description, HasSubstr("at most 67108864 bytes together"));
}

}  // namespace
}  // namespace tersor
