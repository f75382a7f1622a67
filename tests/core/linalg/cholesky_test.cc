#include "core/linalg/cholesky.h"

#include <omp.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <random>
#include <vector>

#include "core/linalg/products.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

std::vector<double> PositiveDefinite(int64_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::normal_distribution<double> normal;
  std::vector<double> x(n * (n + 3)), matrix(n * n);
  for (double& value : x) value = normal(random);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t k = 0; k < n + 3; ++k) matrix[i * n + j] += x[i * (n + 3) + k] * x[j * (n + 3) + k];
    }
    matrix[i * n + i] += 0.1;
  }
  return matrix;
}

class CholeskyTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(CholeskyTest, FactorsMultiplyToTheMatrix) {
  const int64_t n = GetParam();
  const std::vector<double> matrix = PositiveDefinite(n);
  std::vector<double> lower = matrix;
  ASSERT_TRUE(FactorLower(n, lower).ok());
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double product = 0;
      for (int64_t k = 0; k <= std::min(i, j); ++k) product += lower[i * n + k] * lower[j * n + k];
      ASSERT_NEAR(product, matrix[i * n + j], 1e-10 * n);
    }
  }
}

TEST_P(CholeskyTest, SolvesASystem) {
  const int64_t n = GetParam();
  const std::vector<double> matrix = PositiveDefinite(n);
  std::vector<double> lower = matrix, b(n, 1.0);
  ASSERT_TRUE(FactorLower(n, lower).ok());
  SolveFactored(n, lower, b);
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) sum += matrix[i * n + j] * b[j];
    ASSERT_NEAR(sum, 1.0, 1e-9 * n);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, CholeskyTest, ::testing::Values(1, 2, 7, 64, 129));

TEST(CholeskyErrorTest, NamesThePivot) {
  const std::vector<double> matrix = {4, 0, 0, 0, -1, 0, 0, 0, 9};
  std::vector<double> lower = matrix;
  const absl::Status status = FactorLower(3, lower);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("pivot 1 of 3"));
}

TEST(CholeskyErrorTest, RefusesWhatIsNotFiniteOrNotSquare) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    std::vector<double> matrix = {bad, 0, 0, 1};
    EXPECT_FALSE(FactorLower(2, matrix).ok());
  }
  std::vector<double> matrix(6);
  EXPECT_EQ(FactorLower(2, matrix).code(), absl::StatusCode::kInvalidArgument);
}

int64_t Threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

TEST(CholeskyThreadsTest, WorksOnTheCallingThreadAndLeavesOpenMpAlone) {
  constexpr int kThreads = 3;
  omp_set_num_threads(kThreads);
  const int64_t threads = Threads();
  std::vector<double> matrix(512 * 512);
  for (int64_t i = 0; i < 512; ++i) matrix[i * 512 + i] = 2;
  ASSERT_TRUE(FactorLower(512, matrix).ok());
  std::vector<float> x(512 * 512), gram(512 * 512);
  AddGram({x.data(), 512, 512}, {gram.data(), 512, 512});
  AddProduct({x.data(), 512, 512}, {x.data(), 512, 512}, {gram.data(), 512, 512});
  EXPECT_EQ(Threads(), threads);
  EXPECT_EQ(omp_get_max_threads(), kThreads);
}

}  // namespace
}  // namespace tersor
