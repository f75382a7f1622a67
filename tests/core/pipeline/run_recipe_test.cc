#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/formats/artifact_info.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"
#include "gmock/gmock.h"
#include "tests/core/pipeline/job_fixture.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Cancels once a stage has made as many steps as asked for.
class CancellingSink final : public RecordingSink {
 public:
  CancellingSink(std::string stage, int64_t steps) : stage_(std::move(stage)), steps_(steps) {}
  void Emit(const v1::Event& event) override {
    RecordingSink::Emit(event);
    if (event.progress().stage() == stage_ && event.progress().done() >= steps_) token.Cancel();
  }
  CancellationToken token;

 private:
  std::string stage_;
  int64_t steps_;
};

class RunRecipeTest : public JobFixture {
 protected:
  v1::Report Run(const std::string& workspace) {
    RecordingSink sink;
    absl::StatusOr<v1::Report> report = RunRecipe(recipe_, Options(workspace), sink);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : v1::Report();
  }
  std::string WeightsHash(const std::string& workspace) const {
    return *Sha256HexOfFile(folder_ / workspace / "artifacts" / "tersor" / "weights.safetensors");
  }
};

TEST_F(RunRecipeTest, JobsShareTheDenseModelsStatistics) {
  namespace fs = std::filesystem;
  const auto run = [&](const std::string& workspace, const std::string& stage) {
    recipe_.clear_stages();
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stage, recipe_.add_stages()->mutable_quantize()))
        << stage;
    Run(workspace);
    return WeightsHash(workspace);
  };
  const std::string awq = "awq { group_size: 32 grid: 3 }";
  const std::string first = run("first", awq);
  std::map<fs::path, fs::file_time_type> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "cache" / "statistics")) {
    if (entry.is_regular_file()) files[entry.path()] = entry.last_write_time();
  }
  // Two statistics of two blocks.
  ASSERT_EQ(files.size(), 4);
  EXPECT_EQ(run("second", awq), first);
  run("other", "awq { bits: 3 group_size: 16 grid: 2 }");
  for (const auto& [path, time] : files) EXPECT_EQ(fs::last_write_time(path), time) << path;
  // Something new of the same text is put beside.
  run("smooth", "smoothquant {}");
  const fs::path folder = files.begin()->first.parent_path();
  EXPECT_TRUE(fs::exists(folder / "0.absmax.safetensors"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "cache" / "statistics"), fs::directory_iterator()), 1);
  recipe_.mutable_calibration()->set_samples(3);
  run("shorter", awq);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "cache" / "statistics"), fs::directory_iterator()), 2);
}

TEST_F(RunRecipeTest, CompressesEvaluatesAndJudges) {
  const v1::Report report = Run("w");
  EXPECT_EQ(report.verdict(), v1::VERDICT_PASS) << report.summary();
  ASSERT_EQ(report.perplexity_size(), 2);
  EXPECT_EQ(report.perplexity(0).subject(), "dense");
  EXPECT_EQ(report.perplexity(1).subject(), "compressed");
  EXPECT_EQ(report.perplexity(0).hash(), report.perplexity(1).hash());
  EXPECT_NE(report.perplexity(0).value(), report.perplexity(1).value());
  EXPECT_NEAR(std::exp(report.perplexity(0).nll_sum() / report.perplexity(0).count()), report.perplexity(0).value(),
              1e-9);
  EXPECT_GT(report.divergence().kl_mean(), 0);
  EXPECT_EQ(report.divergence().tokens(), report.perplexity(0).count());
  EXPECT_EQ(report.layers_size(), 2 * 7);
  EXPECT_GT(report.size().ratio(), 1);
  for (const char* name : {"report.json", "report.md", "report.html", "tersor/tersor.json"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_ / "w" / "artifacts" / name)) << name;
  }
}

// Of which texts the report warns.
std::vector<std::string> OverlapWarnings(const v1::Report& report) {
  std::vector<std::string> texts;
  for (const v1::Warning& warning : report.warnings()) {
    if (warning.code() == "CALIBRATION_OVERLAP") texts.push_back(warning.where());
  }
  return texts;
}

TEST_F(RunRecipeTest, OverlapWithTheCalibrationTextIsCountedAndTold) {
  const v1::Report report = Run("w");
  const absl::StatusOr<Model> model = LoadModel(folder_ / "model");
  ASSERT_TRUE(model.ok());
  const auto tokenizer = Tokenizer::FromJson(model->assets.tokenizer_json);
  const auto ids = (*tokenizer)->Encode(*ReadFile(folder_ / "data" / "text" / "foxes.txt"));
  ASSERT_TRUE(ids.ok());
  // Four samples of 64 tokens against four windows of 64 tokens of the same text, end to end.
  std::set<std::vector<int32_t>> seen;
  const auto run = [&](int at) { return std::vector<int32_t>(ids->begin() + at, ids->begin() + at + 13); };
  for (int sample = 0; sample < 4; ++sample) {
    for (int i = 0; i + 13 <= 64; ++i) seen.insert(run(64 * sample + i));
  }
  int shared = 0;
  for (int i = 0; i + 13 <= 256; ++i) shared += seen.contains(run(i));
  ASSERT_EQ(report.overlaps_size(), 1);
  EXPECT_EQ(report.overlaps(0).dataset(), "foxes");
  EXPECT_EQ(report.overlaps(0).runs(), 256 - 12);
  EXPECT_EQ(report.overlaps(0).shared(), shared);
  EXPECT_DOUBLE_EQ(report.overlaps(0).share(), shared / 244.0);
  EXPECT_THAT(report.overlaps(0).example(), HasSubstr("The quick"));
  EXPECT_EQ(OverlapWarnings(report), std::vector<std::string>{"foxes"});
}

TEST_F(RunRecipeTest, TextsApartDoNotOverlap) {
  std::string wolves;
  for (int i = 0; i < 400; ++i) wolves += std::to_string(7 * i * i) + " grey wolves howl; ";
  ASSERT_TRUE(WriteFileAtomically(folder_ / "data" / "text" / "wolves.txt", wolves).ok());
  recipe_.mutable_evaluate()->mutable_perplexity(0)->set_dataset("wolves");
  const v1::Report report = Run("w");
  ASSERT_EQ(report.overlaps_size(), 1);
  EXPECT_EQ(report.overlaps(0).shared(), 0);
  EXPECT_EQ(report.overlaps(0).example(), "");
  EXPECT_EQ(OverlapWarnings(report), std::vector<std::string>{});
}

TEST_F(RunRecipeTest, ContainerLoadsAsTheModelThatWasMeasured) {
  Run("w");
  absl::StatusOr<Model> model = LoadModel(folder_ / "w" / "artifacts" / "tersor");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model->Find("model.layers.0.mlp.down_proj.weight"))->encoding(), "group-int");
}

TEST_F(RunRecipeTest, BrokenOffRunGoesOnToTheSameBytes) {
  Run("whole");
  CancellingSink sink("quantize:gptq", 1);
  RunOptions options = Options("broken");
  options.cancellation = &sink.token;
  EXPECT_EQ(RunRecipe(recipe_, options, sink).status().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "broken" / "artifacts" / "tersor"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "broken" / "checkpoint" / "blocks" / "block-0000.safetensors"));
  Run("broken");
  EXPECT_EQ(WeightsHash("broken"), WeightsHash("whole"));
}

TEST_F(RunRecipeTest, FinishedWorkspaceAnswersAtOnce) {
  const v1::Report first = Run("w");
  RecordingSink sink;
  RunOptions options = Options("w");
  options.labels = {{"name", "release"}};
  absl::StatusOr<v1::Report> again = RunRecipe(recipe_, options, sink);
  ASSERT_TRUE(again.ok()) << again.status();
  for (const v1::StageReport& stage : again->stages()) EXPECT_TRUE(stage.reused()) << stage.name();
  EXPECT_EQ(again->labels().at("name"), "release");
  EXPECT_TRUE(first.labels().empty());
  EXPECT_GT(again->perplexity(1).standard_error(), 0);
  EXPECT_GT(again->divergence().kl_mean_standard_error(), 0);
  EXPECT_GT(again->perplexity(1).available_windows(), again->perplexity(1).windows_size());
  EXPECT_EQ(again->perplexity(1).nll_sum(), first.perplexity(1).nll_sum());
  EXPECT_EQ(again->artifacts_size(), first.artifacts_size());
}

TEST_F(RunRecipeTest, ExportThatWasRemovedIsWrittenAgain) {
  recipe_.add_export_("gguf:q4_0");
  recipe_.add_export_("compressed-tensors");
  const v1::Report first = Run("w");
  ASSERT_EQ(first.artifacts_size(), 3);
  const std::filesystem::path gguf = folder_ / "w" / "artifacts" / "model-q4_0.gguf";
  std::filesystem::remove(gguf);
  std::filesystem::remove(folder_ / "w" / "artifacts" / "compressed-tensors" / "config.json");
  const v1::Report again = Run("w");
  EXPECT_TRUE(std::filesystem::exists(gguf));
  ASSERT_EQ(again.artifacts_size(), 3);
  for (const v1::ArtifactInfo& artifact : first.artifacts()) {
    EXPECT_TRUE(FilesStand(artifact, folder_ / "w" / "artifacts")) << artifact.name();
  }
  for (const v1::StageReport& stage : again.stages()) {
    EXPECT_EQ(stage.reused(), stage.name().find("export:") != 0) << stage.name();
  }
}

TEST_F(RunRecipeTest, LoadCommandsNameWhatTheReaderHas) {
  recipe_.add_export_("compressed-tensors");
  const v1::Report here = Run("w");
  ASSERT_EQ(here.load_commands_size(), 3);
  const std::filesystem::path artifacts = std::filesystem::absolute(folder_ / "w" / "artifacts").lexically_normal();
  EXPECT_EQ(here.load_commands(1).command(), "vllm serve " + (artifacts / "compressed-tensors").string());
  absl::StatusOr<std::string> card = ReadFile(artifacts / "compressed-tensors" / "README.md");
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_THAT(*card, HasSubstr("vllm serve .\n"));
  EXPECT_THAT(*card, Not(HasSubstr(folder_.string())));
  RunOptions options = Options("w");
  options.downloaded = true;
  RecordingSink sink;
  absl::StatusOr<v1::Report> elsewhere = RunRecipe(recipe_, options, sink);
  ASSERT_TRUE(elsewhere.ok()) << elsewhere.status();
  ASSERT_EQ(elsewhere->load_commands_size(), 4);
  EXPECT_EQ(elsewhere->load_commands(0).command(), "tersor download test");
  EXPECT_EQ(elsewhere->load_commands(2).command(), "vllm serve ./test/compressed-tensors");
}

TEST_F(RunRecipeTest, FreshRunDoesTheWorkAgain) {
  Run("w");
  RunOptions options = Options("w");
  options.fresh = true;
  RecordingSink sink;
  absl::StatusOr<v1::Report> again = RunRecipe(recipe_, options, sink);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->stages(0).reused());
}

TEST_F(RunRecipeTest, SecondJobOnTheModelReusesTheDenseBaseline) {
  Run("first");
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_bits(3);
  const v1::Report report = Run("second");
  for (const v1::StageReport& stage : report.stages()) {
    EXPECT_EQ(stage.reused(), stage.name() == "evaluate:dense:0") << stage.name();
  }
}

TEST_F(RunRecipeTest, RecipeWithoutStagesMeasuresTheDenseModel) {
  recipe_.clear_stages();
  recipe_.clear_calibration();
  recipe_.clear_gates();
  const v1::Report report = Run("w");
  ASSERT_EQ(report.perplexity_size(), 1);
  EXPECT_EQ(report.perplexity(0).subject(), "dense");
  EXPECT_FALSE(report.has_divergence());
}

TEST_F(RunRecipeTest, KeysAndValuesAreRoundedWithoutTouchingWeights) {
  recipe_.clear_stages();
  recipe_.mutable_kv()->set_bits(2);
  const v1::Report report = Run("w");
  ASSERT_EQ(report.perplexity_size(), 2);
  EXPECT_NE(report.perplexity(0).value(), report.perplexity(1).value());
  EXPECT_EQ(report.kv_cache().format(), "int2");
  EXPECT_LT(report.kv_cache().bytes_per_token(), report.kv_cache().dense_bytes_per_token());
  absl::StatusOr<Model> model = LoadModel(folder_ / "w" / "artifacts" / "tersor");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->kv_format, (KvFormat{2, KvKeys::kToken}));
}

TEST_F(RunRecipeTest, FailedGateIsAVerdictNotAnError) {
  recipe_.add_gates("kl_mean <= 0");
  const v1::Report report = Run("w");
  EXPECT_EQ(report.verdict(), v1::VERDICT_FAIL);
}

TEST_F(RunRecipeTest, FaultyRecipeIsRefusedBeforeAnythingIsWritten) {
  recipe_.mutable_calibration()->set_dataset("wolves");
  RecordingSink sink;
  absl::Status status = RunRecipe(recipe_, Options("w"), sink).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("calibration.dataset"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "w"));
}

TEST_F(RunRecipeTest, ProgressEndsAtTheWholeAndNeverFalls) {
  RecordingSink sink;
  ASSERT_TRUE(RunRecipe(recipe_, Options("w"), sink).ok());
  double last = 0;
  for (const v1::Event& event : sink.events) {
    if (!event.has_progress()) continue;
    EXPECT_GE(event.progress().fraction(), last - 1e-9);
    last = event.progress().fraction();
  }
  EXPECT_GT(last, 0.9);
}

// What one run exports as GPTQ is judged by another against the original, with the same figures.
TEST_F(RunRecipeTest, AnotherToolsModelIsJudgedAgainstItsOriginal) {
  recipe_.mutable_stages(0)->mutable_quantize()->clear_gptq();
  recipe_.mutable_stages(0)->mutable_quantize()->mutable_rtn()->set_group_size(32);
  recipe_.add_export_("gptq");
  const v1::Report own = Run("own");
  const std::string original = recipe_.model();
  recipe_.set_model((folder_ / "own" / "artifacts" / "gptq").string());
  recipe_.clear_stages();
  recipe_.clear_calibration();
  recipe_.clear_export_();
  recipe_.mutable_evaluate()->set_original(original);
  const v1::Report judged = Run("judged");
  ASSERT_EQ(judged.perplexity_size(), 2);
  EXPECT_EQ(judged.perplexity(0).subject(), "dense");
  EXPECT_EQ(judged.perplexity(0).value(), own.perplexity(0).value());
  EXPECT_EQ(judged.perplexity(1).subject(), "compressed");
  EXPECT_GT(judged.divergence().kl_mean(), 0);
  // Embeddings are F16 in the export, F32 in the container.
  EXPECT_NEAR(judged.perplexity(1).value() / own.perplexity(1).value(), 1, 1e-3);
  EXPECT_EQ(judged.model().format(), "gptq");
  EXPECT_EQ(
      judged.size().artifact_bytes(),
      static_cast<int64_t>(std::filesystem::file_size(std::filesystem::path(recipe_.model()) / "model.safetensors")));
}

TEST_F(RunRecipeTest, AnotherModelIsNoOriginal) {
  recipe_.mutable_evaluate()->set_original((folder_ / "nowhere").string());
  RecordingSink sink;
  const absl::Status status = RunRecipe(recipe_, Options("w"), sink).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("evaluate.original"));
}

}  // namespace
}  // namespace tersor
