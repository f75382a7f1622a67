#include <algorithm>

#include "gmock/gmock.h"
#include "tests/core/pipeline/job_fixture.h"

namespace tersor {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

auto Fault(const std::string& field, const std::string& words) {
  return AllOf(Field(&FieldViolation::field, field), Field(&FieldViolation::description, HasSubstr(words)));
}

class PlanTest : public JobFixture {
 protected:
  PlanResult Plan() {
    absl::StatusOr<PlanResult> result = MakePlan(recipe_, context_);
    EXPECT_TRUE(result.ok()) << result.status();
    return *result;
  }
};

TEST_F(PlanTest, ListsTheStagesWithTheirCost) {
  const PlanResult result = Plan();
  ASSERT_THAT(result.violations, IsEmpty());
  std::vector<std::string> names;
  for (const v1::PlannedStage& stage : result.plan.stages()) {
    names.push_back(stage.name());
    EXPECT_GT(stage.seconds(), 0) << stage.name();
    EXPECT_GT(stage.peak_memory_bytes(), 0) << stage.name();
  }
  EXPECT_THAT(names,
              ElementsAre("quantize:gptq", "write", "evaluate:overlap", "evaluate:dense:0", "evaluate:compressed:0"));
  EXPECT_GT(result.plan.disk_bytes(), 0);
  EXPECT_EQ(result.plan.model().architecture(), "llama");
}

TEST_F(PlanTest, FingerprintFollowsContentNotPlace) {
  const std::string before = Plan().plan.fingerprint();
  std::filesystem::rename(folder_ / "model", folder_ / "moved");
  recipe_.set_model((folder_ / "moved").string());
  recipe_.set_description("words");
  EXPECT_EQ(Plan().plan.fingerprint(), before);
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_bits(3);
  EXPECT_NE(Plan().plan.fingerprint(), before);
}

TEST_F(PlanTest, WeightsThatAreNoNumbersAreNamed) {
  const auto warned = [&] {
    const PlanResult result = Plan();
    const auto found = std::find_if(result.plan.warnings().begin(), result.plan.warnings().end(),
                                    [](const v1::Warning& w) { return w.code() == "NON_FINITE_WEIGHTS"; });
    return found == result.plan.warnings().end() ? std::string() : found->message();
  };
  EXPECT_EQ(warned(), "");
  const std::filesystem::path file = folder_ / "model" / "model.safetensors";
  std::string bytes = *ReadFile(file);
  // NaN in every 16 and 32-bit type.
  bytes[bytes.size() - 2] = static_cast<char>(0xc0);
  bytes[bytes.size() - 1] = 0x7f;
  ASSERT_TRUE(WriteFileAtomically(file, bytes).ok());
  EXPECT_THAT(warned(), HasSubstr("holds NaN at element ["));
  // The second answer is the remembered one.
  EXPECT_THAT(warned(), HasSubstr("holds NaN at element ["));
}

TEST_F(PlanTest, ATokenizerThatCannotBeUsedIsToldWhereTextIsNeeded) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "model" / "tokenizer.json", R"({"model": {"type": "Unheard"}})").ok());
  const std::vector<FieldViolation> faults = Plan().violations;
  ASSERT_FALSE(faults.empty());
  for (const FieldViolation& fault : faults) {
    EXPECT_NE(fault.field, "model");
    EXPECT_THAT(fault.description, HasSubstr("cannot be used"));
  }
  recipe_.clear_evaluate();
  recipe_.clear_gates();
  recipe_.clear_stages();
  recipe_.add_stages()->mutable_quantize()->mutable_rtn()->set_bits(4);
  EXPECT_THAT(Plan().violations, IsEmpty());
}

TEST_F(PlanTest, AModelWithoutATokenizerIsCompressedWhereNothingNeedsText) {
  std::filesystem::remove(folder_ / "model" / "tokenizer.json");
  EXPECT_THAT(Plan().violations,
              ElementsAre(Fault("calibration", "needs text, and"), Fault("evaluate.perplexity", "has no tokenizer")));
  recipe_ = ParseRecipe("stages { quantize { rtn { bits: 4 group_size: 32 } } } export: \"safetensors\"");
  recipe_.set_model((folder_ / "model").string());
  EXPECT_THAT(Plan().violations, IsEmpty());
  RecordingSink sink;
  const absl::StatusOr<v1::Report> report = RunRecipe(recipe_, Options("run"), sink);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->artifacts_size(), 2);
}

TEST_F(PlanTest, MissingModelIsNamed) {
  recipe_.set_model((folder_ / "nothing").string());
  EXPECT_THAT(Plan().violations, Contains(Fault("model", "there is no such file or folder")));
}

TEST_F(PlanTest, FaultsThatNeedNoModelAreToldWithoutIt) {
  recipe_.set_model("/nowhere/model");
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_bits(9);
  recipe_.mutable_calibration()->set_dataset("nowhere");
  recipe_.mutable_evaluate()->mutable_perplexity(0)->set_dataset("nowhere");
  recipe_.add_export_("onnx");
  const std::vector<FieldViolation> violations = Plan().violations;
  std::vector<std::string> fields;
  for (const FieldViolation& violation : violations) fields.push_back(violation.field);
  EXPECT_THAT(fields, ElementsAre("model", "stages[0].quantize.gptq.bits", "calibration.dataset",
                                  "evaluate.perplexity[0].dataset", "export[0]"));
}

TEST_F(PlanTest, ModelMustLieUnderAnAllowedRoot) {
  context_.allowed_roots = {folder_ / "allowed"};
  EXPECT_THAT(Plan().violations, Contains(Fault("model", "outside the allowed model folders")));
  context_.allowed_roots = {folder_};
  EXPECT_THAT(Plan().violations, IsEmpty());
  recipe_.set_model((folder_ / "model" / ".." / ".." / "elsewhere").string());
  EXPECT_THAT(Plan().violations, Contains(Fault("model", "outside the allowed model folders")));
}

TEST_F(PlanTest, UnknownDatasetListsPlacesAndNames) {
  recipe_.mutable_calibration()->set_dataset("wolves");
  recipe_.mutable_evaluate()->mutable_perplexity(0)->set_dataset("bears");
  const PlanResult result = Plan();
  EXPECT_THAT(result.violations, Contains(Fault("calibration.dataset", "foxes")));
  EXPECT_THAT(result.violations, Contains(Fault("evaluate.perplexity[0].dataset", (folder_ / "data").string())));
}

TEST_F(PlanTest, EveryFaultIsInOneAnswer) {
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_bits(17);
  recipe_.mutable_evaluate()->mutable_perplexity(0)->set_convention("guess");
  recipe_.add_gates("happiness >= 3");
  recipe_.add_export_("floppy");
  recipe_.set_precision("f8");
  recipe_.mutable_evaluate()->add_tasks()->set_name("pica");
  const PlanResult result = Plan();
  EXPECT_THAT(result.violations, Contains(Fault("stages[0].quantize.gptq.bits", "8")));
  EXPECT_THAT(result.violations, Contains(Fault("evaluate.perplexity[0].convention", "windows")));
  EXPECT_THAT(result.violations, Contains(Fault("gates[1]", "happiness")));
  EXPECT_THAT(result.violations, Contains(Fault("export[0]", "floppy")));
  EXPECT_THAT(result.violations, Contains(Fault("precision", "bf16")));
  EXPECT_THAT(result.violations, Contains(Fault("evaluate.tasks[0].name", "did you mean \"piqa\"")));
}

TEST_F(PlanTest, GroupSizeThatDoesNotDivideProposesOthers) {
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_group_size(48);
  EXPECT_THAT(Plan().violations, Contains(Fault("stages[0].quantize.gptq.group_size", "32")));
}

TEST_F(PlanTest, AFaultyStageIsNotBlamedOnTheExports) {
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_bits(17);
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_group_size(48);
  recipe_.add_export_("compressed-tensors");
  const PlanResult result = Plan();
  EXPECT_THAT(result.violations, Contains(Fault("stages[0].quantize.gptq.group_size", "32")));
  EXPECT_EQ(result.violations.size(), 2) << result.violations.back().field;
}

TEST_F(PlanTest, EmptyAndShortTextsAreFaults) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "text" / "empty.txt", "").ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "text" / "short.txt", "too short").ok());
  recipe_.mutable_calibration()->set_dataset("empty");
  recipe_.mutable_evaluate()->mutable_perplexity(0)->set_dataset("short");
  const PlanResult result = Plan();
  EXPECT_THAT(result.violations, Contains(Fault("calibration.dataset", "empty")));
  EXPECT_THAT(result.violations, Contains(Fault("evaluate.perplexity[0].dataset", "9 bytes")));
}

TEST_F(PlanTest, TextsAreCountedInTokensWhereBytesLeaveADoubt) {
  // "the" is one token: a byte count alone would let this pass.
  std::string text;
  for (int i = 0; i < 40; ++i) text += " the";
  ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "text" / "the.txt", text).ok());
  recipe_.mutable_calibration()->set_dataset("the");
  recipe_.mutable_calibration()->set_samples(1);
  recipe_.mutable_evaluate()->mutable_perplexity(0)->set_dataset("the");
  const PlanResult result = Plan();
  EXPECT_THAT(result.violations, Contains(Fault("calibration.dataset", "has 40 tokens")));
  EXPECT_THAT(result.violations, Contains(Fault("evaluate.perplexity[0].dataset", "has 40 tokens")));
}

TEST_F(PlanTest, TextThatIsNotUtf8IsAFault) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "text" / "latin.txt", std::string(9999, 'a') + "\xe9").ok());
  recipe_.mutable_calibration()->set_dataset("latin");
  EXPECT_THAT(Plan().violations, Contains(Fault("calibration.dataset", "9999")));
}

TEST_F(PlanTest, PerplexityOnlyGatesEarnAWarning) {
  recipe_.clear_gates();
  recipe_.add_gates("perplexity_ratio <= 2");
  const PlanResult result = Plan();
  EXPECT_EQ(std::count_if(result.plan.warnings().begin(), result.plan.warnings().end(),
                          [](const v1::Warning& warning) { return warning.code() == "PERPLEXITY_ONLY_GATE"; }),
            1);
}

}  // namespace
}  // namespace tersor
