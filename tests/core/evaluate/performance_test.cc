#include "core/evaluate/performance.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;

// Takes the scripted seconds one after another and writes down when it was asked.
class ScriptedGenerator final : public Generator {
 public:
  ScriptedGenerator(std::string name, std::vector<double> seconds, std::vector<std::string>& log)
      : name_(std::move(name)), seconds_(std::move(seconds)), log_(log) {}

  absl::StatusOr<std::vector<int32_t>> Generate(std::span<const int32_t>, const GenerateOptions&,
                                                const std::function<void(int32_t)>&) override {
    return absl::UnimplementedError("not timed");
  }
  absl::StatusOr<std::vector<float>> LastLogits(std::span<const int32_t>) override {
    return absl::UnimplementedError("not timed");
  }
  Kernels KernelsInUse() const override { return {{{"float32", 100}}, {{"int8 x int8", 21}, {"int4 x int8", 79}}}; }
  absl::StatusOr<double> TimePrefill(int) override { return Next("prefill"); }
  absl::StatusOr<double> TimeDecode(int) override { return Next("decode"); }

 private:
  double Next(const std::string& kind) {
    log_.push_back(name_ + " " + kind);
    return seconds_[next_++ % seconds_.size()];
  }
  std::string name_;
  std::vector<double> seconds_;
  std::vector<std::string>& log_;
  size_t next_ = 0;
};

TEST(MeasurePerformanceTest, MedianOfInterleavedRepeatsWithoutTheFirstRound) {
  std::vector<std::string> log;
  // The first of each four is the warm-up.
  ScriptedGenerator dense("dense", {100, 2, 1, 4}, log), compressed("compressed", {100, 1, 0.5, 1}, log);
  const PerformanceSubject subjects[] = {{"dense", &dense}, {"compressed", &compressed}};
  std::vector<int64_t> progress;
  EvaluateContext context;
  context.progress = [&](int64_t done, int64_t total) {
    EXPECT_EQ(total, 16);
    progress.push_back(done);
  };
  const auto results =
      MeasurePerformance(subjects, {.prefill = 100, .decode = 10, .repeats = 3, .threads = 2}, context);
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 4);
  const v1::PerformanceResult& prefill = (*results)[0];
  EXPECT_EQ(prefill.subject(), "dense");
  EXPECT_EQ(prefill.kind(), "prefill");
  EXPECT_EQ(prefill.tokens(), 100);
  EXPECT_EQ(prefill.tokens_per_second(), 50);
  EXPECT_EQ(prefill.tokens_per_second_min(), 25);
  EXPECT_EQ(prefill.tokens_per_second_max(), 100);
  EXPECT_EQ(prefill.repeats(), 3);
  EXPECT_EQ(prefill.threads(), 2);
  EXPECT_EQ(prefill.kernels(), "float32");
  EXPECT_EQ((*results)[3].kernels(), "int4 x int8 (79%), int8 x int8 (21%)");
  EXPECT_EQ((*results)[3].subject(), "compressed");
  EXPECT_EQ((*results)[3].kind(), "decode");
  EXPECT_EQ((*results)[3].tokens_per_second(), 10);
  EXPECT_THAT(std::vector<std::string>(log.begin(), log.begin() + 4),
              ElementsAre("dense prefill", "compressed prefill", "dense prefill", "compressed prefill"));
  EXPECT_EQ(progress.back(), 16);
}

TEST(ResolvePerformanceTest, ActivationsAreInt8UnlessAskedOtherwise) {
  v1::PerformanceEvaluation evaluation;
  EXPECT_EQ(ResolvePerformance(evaluation, 1).linears, LinearCompute::kEncodedInt8);
  evaluation.set_activations("float32");
  EXPECT_EQ(ResolvePerformance(evaluation, 1).linears, LinearCompute::kEncodedFloat32);
  evaluation.set_activations("decoded");
  EXPECT_EQ(ResolvePerformance(evaluation, 1).linears, LinearCompute::kDecoded);
  EXPECT_TRUE(CheckPerformance(evaluation, 0, "p").empty());
  evaluation.set_activations("int7");
  ASSERT_EQ(CheckPerformance(evaluation, 0, "p").size(), 1);
  EXPECT_EQ(CheckPerformance(evaluation, 0, "p")[0].field, "p.activations");
}

TEST(MeasurePerformanceTest, EvenRepeatsTakeTheMiddleOfTwo) {
  std::vector<std::string> log;
  ScriptedGenerator dense("dense", {9, 1, 2}, log);
  const PerformanceSubject subjects[] = {{"dense", &dense}};
  const auto results = MeasurePerformance(subjects, {.prefill = 8, .decode = 8, .repeats = 2}, {});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].tokens_per_second(), 6);
}

TEST(MeasurePerformanceTest, CancelledBetweenMeasurements) {
  std::vector<std::string> log;
  ScriptedGenerator dense("dense", {1}, log);
  const PerformanceSubject subjects[] = {{"dense", &dense}};
  CancellationToken token;
  EvaluateContext context{.cancellation = &token, .progress = [&](int64_t, int64_t) { token.Cancel(); }};
  EXPECT_EQ(MeasurePerformance(subjects, {}, context).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(log.size(), 1);
}

TEST(MeasurePerformanceTest, AClockThatStandsIsAnError) {
  std::vector<std::string> log;
  ScriptedGenerator dense("dense", {0}, log);
  const PerformanceSubject subjects[] = {{"dense", &dense}};
  EXPECT_EQ(MeasurePerformance(subjects, {}, {}).status().code(), absl::StatusCode::kInternal);
}

TEST(CheckPerformanceTest, RangesAreNamed) {
  v1::PerformanceEvaluation evaluation;
  EXPECT_TRUE(CheckPerformance(evaluation, 2048, "p").empty());
  evaluation.set_prefill(4096);
  evaluation.set_decode(0);
  evaluation.set_repeats(1000);
  const std::vector<FieldViolation> violations = CheckPerformance(evaluation, 2048, "evaluate.performance");
  ASSERT_EQ(violations.size(), 3);
  EXPECT_EQ(violations[0].field, "evaluate.performance.prefill");
  EXPECT_EQ(violations[0].description, "is 4096; it lies between 1 and 2048");
  EXPECT_EQ(violations[1].field, "evaluate.performance.decode");
  EXPECT_EQ(violations[2].field, "evaluate.performance.repeats");
}

}  // namespace
}  // namespace tersor
