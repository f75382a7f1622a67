#include "core/calibration/input_statistics.h"

#include <cmath>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace tersor {
namespace {

const std::set<Statistic> kAll = {Statistic::kSecondMoment, Statistic::kAbsMax, Statistic::kNorm,
                                  Statistic::kDenseMoment};

struct Data {
  int64_t tokens, width;
  std::vector<float> inputs, dense;

  Data(int64_t tokens, int64_t width) : tokens(tokens), width(width) {
    std::mt19937 random(static_cast<unsigned>(width));
    std::normal_distribution<float> normal;
    const auto fill = [&](std::vector<float>& values, int64_t count) {
      for (int64_t i = 0; i < count; ++i) values.push_back(normal(random));
    };
    fill(inputs, tokens * width);
    fill(dense, tokens * width);
  }
  StatisticsSource Rows(int64_t first, int64_t count) const {
    return {.inputs = {inputs.data() + first * width, count, width},
            .dense_inputs = {dense.data() + first * width, count, width}};
  }
  // (left^T inputs)[i][j]
  double Product(const std::vector<float>& left, int64_t left_width, int64_t i, int64_t j) const {
    double sum = 0;
    for (int64_t t = 0; t < tokens; ++t) sum += static_cast<double>(left[t * left_width + i]) * inputs[t * width + j];
    return sum;
  }
};

TEST(InputStatisticsTest, RangesMagnitudesAndSamples) {
  const Data data(600, 3);
  InputStatistics statistics(3, {Statistic::kRange, Statistic::kMeanMagnitude, Statistic::kSample});
  ASSERT_TRUE(statistics.Add(data.Rows(0, 600), 1, nullptr).ok());
  for (int64_t i = 0; i < 3; ++i) {
    float low = data.inputs[i], high = low;
    double sum = 0;
    for (int64_t t = 0; t < 600; ++t) {
      const float value = data.inputs[t * 3 + i];
      low = std::min(low, value);
      high = std::max(high, value);
      sum += std::abs(value);
    }
    EXPECT_EQ(statistics.minima()[i], low);
    EXPECT_EQ(statistics.maxima()[i], high);
    EXPECT_NEAR(statistics.MeanMagnitudes()[i], sum / 600, 1e-5);
  }
  // Every second token of 600, for about 256.
  ASSERT_EQ(statistics.sample().rows, 300);
  EXPECT_EQ(statistics.sample().at(7, 1), data.inputs[14 * 3 + 1]);
  InputStatistics few(3, {Statistic::kSample});
  ASSERT_TRUE(few.Add(data.Rows(0, 5), 1, nullptr).ok());
  EXPECT_EQ(few.sample().rows, 5);
}

TEST(InputStatisticsTest, EveryStatisticKnowsDeadInputs) {
  Data data(20, 7);
  for (int64_t t = 0; t < data.tokens; ++t) {
    for (const int64_t dead : {0, 4}) data.inputs[t * data.width + dead] = 0;
  }
  for (const Statistic statistic : kStoredStatistics) {
    if (statistic == Statistic::kSample) continue;
    InputStatistics statistics(7, {statistic});
    ASSERT_TRUE(statistics.Add(data.Rows(0, 20), 1, nullptr).ok());
    EXPECT_EQ(statistics.DeadInputs(), 2) << StatisticName(statistic);
  }
}

TEST(InputStatisticsTest, InputsThatAreNoNumbersAreNamed) {
  Data data(40, 5);
  InputStatistics statistics(5, {Statistic::kAbsMax});
  ASSERT_TRUE(statistics.Add(data.Rows(0, 20), 1, nullptr).ok());
  data.inputs[33 * 5 + 2] = INFINITY;
  const absl::Status status = statistics.Add(data.Rows(20, 20), 1, nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "input 2 of calibration token 33 is inf, not a finite number");
}

TEST(InputStatisticsTest, SumsOverWhatItSees) {
  for (const int64_t width : {1, 17, 300}) {
    const Data data(45, width);
    InputStatistics statistics(width, kAll);
    ASSERT_TRUE(statistics.Add(data.Rows(0, 20), 1, nullptr).ok());
    ASSERT_TRUE(statistics.Add(data.Rows(20, 25), 1, nullptr).ok());
    EXPECT_EQ(statistics.tokens(), 45);
    const std::vector<float> norms = statistics.Norms();
    for (int64_t i = 0; i < width; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        if (j <= i) {
          ASSERT_NEAR(statistics.second_moment().at(i, j), data.Product(data.inputs, width, i, j), 1e-3);
        }
        ASSERT_NEAR(statistics.dense_moment().at(i, j), data.Product(data.dense, width, i, j), 1e-3);
      }
      float largest = 0;
      for (int64_t t = 0; t < 45; ++t) largest = std::max(largest, std::abs(data.inputs[t * width + i]));
      EXPECT_EQ(statistics.absmax()[i], largest);
      EXPECT_NEAR(norms[i], std::sqrt(data.Product(data.inputs, width, i, i)), 1e-4);
    }
  }
}

TEST(InputStatisticsTest, SameBitsOnAnyNumberOfThreads) {
  const Data data(70, 530);
  InputStatistics one(530, kAll), three(530, kAll);
  ASSERT_TRUE(one.Add(data.Rows(0, 70), 1, nullptr).ok());
  ASSERT_TRUE(three.Add(data.Rows(0, 70), 3, nullptr).ok());
  for (int64_t i = 0; i < 530; ++i) {
    for (int64_t j = 0; j < 530; ++j) {
      if (j <= i) {
        ASSERT_EQ(one.second_moment().at(i, j), three.second_moment().at(i, j));
      }
      ASSERT_EQ(one.dense_moment().at(i, j), three.dense_moment().at(i, j));
    }
  }
}

TEST(InputStatisticsTest, StopsWhenCancelled) {
  const Data data(10, 20);
  CancellationToken token;
  token.Cancel();
  InputStatistics statistics(20, {Statistic::kSecondMoment});
  EXPECT_EQ(statistics.Add(data.Rows(0, 10), 1, &token).code(), absl::StatusCode::kCancelled);
}

TEST(InputStatisticsTest, NamesStatistics) {
  EXPECT_EQ(StatisticName(Statistic::kSecondMoment), "second_moment");
  EXPECT_EQ(StatisticName(Statistic::kDenseMoment), "dense_moment");
}

}  // namespace
}  // namespace tersor
