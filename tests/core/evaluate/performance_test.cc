#include "core/evaluate/performance.h"

#include <cmath>
#include <fstream>

#include "core/evaluate/speedup.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_folder.h"

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
  absl::StatusOr<std::vector<double>> TimeDecode(const DecodeTiming& timing) override {
    timing_ = timing;
    // Steps of 1 to n parts of the whole.
    const double whole = Next("decode");
    std::vector<double> seconds;
    for (int i = 1; i <= timing.steps; ++i) seconds.push_back(whole * 2 * i / (timing.steps * (timing.steps + 1)));
    return seconds;
  }
  const DecodeTiming& timing() const { return timing_; }

  // Called while the clock runs.
  std::function<void()> on_next;

 private:
  double Next(const std::string& kind) {
    if (on_next) on_next();
    log_.push_back(name_ + " " + kind);
    return seconds_[next_++ % seconds_.size()];
  }
  std::string name_;
  std::vector<double> seconds_;
  std::vector<std::string>& log_;
  size_t next_ = 0;
  DecodeTiming timing_;
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
      MeasurePerformance(subjects, {.prefill = 100, .decode = 10, .repeats = 3, .threads = 2}, nullptr, context);
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->results.size(), 4);
  const v1::PerformanceResult& prefill = results->results[0];
  EXPECT_EQ(prefill.subject(), "dense");
  EXPECT_EQ(prefill.kind(), "prefill");
  EXPECT_EQ(prefill.tokens(), 100);
  EXPECT_EQ(prefill.tokens_per_second(), 50);
  EXPECT_EQ(prefill.tokens_per_second_min(), 25);
  EXPECT_EQ(prefill.tokens_per_second_max(), 100);
  EXPECT_EQ(prefill.repeats(), 3);
  EXPECT_EQ(prefill.threads(), 2);
  EXPECT_EQ(prefill.kernels(), "float32");
  EXPECT_EQ(results->results[3].kernels(), "int4 x int8 (79%), int8 x int8 (21%)");
  EXPECT_EQ(results->results[3].subject(), "compressed");
  EXPECT_EQ(results->results[3].kind(), "decode");
  EXPECT_DOUBLE_EQ(results->results[3].tokens_per_second(), 10);
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

TEST(MeasurePerformanceTest, LatenciesOperationsAndSpeedups) {
  std::vector<std::string> log;
  ModelSpec spec;
  spec.vocabulary = 10;
  spec.width = 4;
  ScriptedGenerator dense("dense", {100, 2, 1, 4}, log), compressed("compressed", {100, 1, 0.5, 1}, log);
  const PerformanceSubject subjects[] = {{"dense", &dense, &spec}, {"compressed", &compressed, &spec}};
  const auto figures =
      MeasurePerformance(subjects, {.prefill = 8, .decode = 4, .repeats = 3, .batch = 5, .context = 7}, nullptr, {});
  ASSERT_TRUE(figures.ok()) << figures.status();
  const v1::PerformanceResult &prefill = figures->results[0], &decode = figures->results[2];
  EXPECT_EQ(prefill.time_to_first_token(), 2);
  EXPECT_EQ(prefill.latency_p50(), 0);
  EXPECT_DOUBLE_EQ(prefill.flops_per_token(), 2.0 * 40 / 8);
  EXPECT_EQ(dense.timing().steps, 4);
  EXPECT_EQ(dense.timing().batch, 5);
  EXPECT_EQ(dense.timing().context, 7);
  EXPECT_EQ(decode.batch(), 5);
  EXPECT_EQ(decode.context(), 7);
  // Twelve steps: tenths 1, 2, 3 and 4 of 2, 1 and 4 seconds.
  EXPECT_DOUBLE_EQ(decode.latency_p50(), 0.4);
  EXPECT_DOUBLE_EQ(decode.latency_p99(), 1.6);
  EXPECT_DOUBLE_EQ(decode.tokens_per_second(), 4 * 5 / 2.0);
  EXPECT_DOUBLE_EQ(decode.flops_per_token(), 2.0 * 40);
  EXPECT_EQ(decode.joules_per_token(), 0);
  ASSERT_EQ(figures->speedups.size(), 2);
  const v1::SpeedupResult& speedup = figures->speedups[1];
  EXPECT_EQ(speedup.kind(), "decode");
  EXPECT_EQ(speedup.rounds(), 3);
  // Ratios 2, 2 and 4: logarithms in units of ln 2 are 1, 1 and 2, their standard error 1/3, t of two degrees 4.3027.
  EXPECT_DOUBLE_EQ(speedup.value(), std::pow(2, 4.0 / 3));
  EXPECT_NEAR(speedup.interval().low(), std::pow(2, (4 - 4.30265273) / 3), 1e-8);
  EXPECT_NEAR(speedup.interval().high(), std::pow(2, (4 + 4.30265273) / 3), 1e-8);
  EXPECT_DOUBLE_EQ(speedup.interval().confidence(), 0.95);
}

TEST(SpeedupIntervalTest, OneRoundHasNoneAndOthersWidenWithConfidence) {
  const v1::SpeedupResult one = DescribeSpeedup("decode", std::vector<double>{2.58}, 0.95);
  EXPECT_EQ(one.value(), 2.58);
  EXPECT_FALSE(one.has_interval());
  EXPECT_TRUE(std::isinf(SpeedupInterval(one, 0.95).high));
  const std::vector<double> ratios = {1.5, 1.4, 1.6, 1.45, 1.55};
  const v1::SpeedupResult five = DescribeSpeedup("decode", ratios, 0.95);
  const v1::SpeedupResult surer = DescribeSpeedup("decode", ratios, 0.99);
  EXPECT_LT(surer.interval().low(), five.interval().low());
  EXPECT_NEAR(SpeedupInterval(five, 0.99).low, surer.interval().low(), 1e-12);
  EXPECT_NEAR(SpeedupInterval(five, 0.99).high, surer.interval().high(), 1e-12);
  // What a file says is not trusted.
  v1::SpeedupResult broken = five;
  broken.mutable_interval()->set_confidence(1);
  EXPECT_TRUE(std::isinf(SpeedupInterval(broken, 0.95).low));
}

TEST(MeasurePerformanceTest, EnergyIsCountedWhereThereIsAMeter) {
  const testing::ScratchFolder folder;
  const std::filesystem::path domain = folder.path() / "intel-rapl:0";
  std::filesystem::create_directories(domain);
  const auto write = [&](int64_t microjoules) { std::ofstream(domain / "energy_uj") << microjoules; };
  std::ofstream(domain / "max_energy_range_uj") << 1000000000;
  write(0);
  auto meter = EnergyMeter::Open(folder.path());
  ASSERT_TRUE(meter.ok()) << meter.status();
  std::vector<std::string> log;
  ScriptedGenerator dense("dense", {1}, log);
  dense.on_next = [&, joules = int64_t{0}]() mutable { write(joules += 5000000); };
  const PerformanceSubject subjects[] = {{"dense", &dense}};
  const auto figures = MeasurePerformance(subjects, {.prefill = 10, .decode = 4, .repeats = 2}, &*meter, {});
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_DOUBLE_EQ(figures->results[0].joules_per_token(), 0.5);
  EXPECT_DOUBLE_EQ(figures->results[1].joules_per_token(), 1.25);
  EXPECT_TRUE(figures->speedups.empty());
}

TEST(MeasurePerformanceTest, EvenRepeatsTakeTheMiddleOfTwo) {
  std::vector<std::string> log;
  ScriptedGenerator dense("dense", {9, 1, 2}, log);
  const PerformanceSubject subjects[] = {{"dense", &dense}};
  const auto results = MeasurePerformance(subjects, {.prefill = 8, .decode = 8, .repeats = 2}, nullptr, {});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->results[0].tokens_per_second(), 6);
}

TEST(MeasurePerformanceTest, CancelledBetweenMeasurements) {
  std::vector<std::string> log;
  ScriptedGenerator dense("dense", {1}, log);
  const PerformanceSubject subjects[] = {{"dense", &dense}};
  CancellationToken token;
  EvaluateContext context{.cancellation = &token, .progress = [&](int64_t, int64_t) { token.Cancel(); }};
  EXPECT_EQ(MeasurePerformance(subjects, {}, nullptr, context).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(log.size(), 1);
}

TEST(MeasurePerformanceTest, AClockThatStandsIsAnError) {
  std::vector<std::string> log;
  ScriptedGenerator dense("dense", {0}, log);
  const PerformanceSubject subjects[] = {{"dense", &dense}};
  EXPECT_EQ(MeasurePerformance(subjects, {}, nullptr, {}).status().code(), absl::StatusCode::kInternal);
}

TEST(CheckPerformanceTest, RangesAreNamed) {
  v1::PerformanceEvaluation evaluation;
  EXPECT_TRUE(CheckPerformance(evaluation, 2048, "p").empty());
  evaluation.set_prefill(4096);
  evaluation.set_decode(0);
  evaluation.set_repeats(1000);
  evaluation.set_batch(0);
  evaluation.set_context(4000);
  const std::vector<FieldViolation> violations = CheckPerformance(evaluation, 2048, "evaluate.performance");
  ASSERT_EQ(violations.size(), 5);
  EXPECT_EQ(violations[0].field, "evaluate.performance.prefill");
  EXPECT_EQ(violations[0].description, "is 4096; it lies between 1 and 2048");
  EXPECT_EQ(violations[1].field, "evaluate.performance.decode");
  EXPECT_EQ(violations[2].field, "evaluate.performance.repeats");
  EXPECT_EQ(violations[3].field, "evaluate.performance.batch");
  EXPECT_EQ(violations[4].field, "evaluate.performance.context");

  v1::PerformanceEvaluation together;
  together.set_context(2000);
  EXPECT_TRUE(CheckPerformance(together, 2064, "p").empty());
  EXPECT_EQ(CheckPerformance(together, 2063, "p").size(), 1);
}

}  // namespace
}  // namespace tersor
