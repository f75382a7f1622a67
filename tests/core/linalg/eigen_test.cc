#include "core/linalg/eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(EigenTest, VectorsAndValuesMakeTheMatrix) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (const int64_t n : {1, 2, 7, 40}) {
    std::vector<double> matrix(n * n), lower;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j <= i; ++j) matrix[i * n + j] = matrix[j * n + i] = normal(random);
    }
    lower = matrix;
    // Only the lower triangle is read.
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = i + 1; j < n; ++j) lower[i * n + j] = 1e9;
    }
    const absl::StatusOr<SymmetricEigen> eigen = DecomposeSymmetric(n, lower);
    ASSERT_TRUE(eigen.ok()) << eigen.status();
    EXPECT_TRUE(std::is_sorted(eigen->values.begin(), eigen->values.end()));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0, product = 0;
        for (int64_t k = 0; k < n; ++k) {
          sum += eigen->values[k] * eigen->vectors[k * n + i] * eigen->vectors[k * n + j];
          product += eigen->vectors[i * n + k] * eigen->vectors[j * n + k];
        }
        EXPECT_NEAR(sum, matrix[i * n + j], 1e-9);
        EXPECT_NEAR(product, i == j, 1e-9);
      }
    }
  }
}

TEST(EigenTest, RefusesWhatIsNoFiniteMatrix) {
  EXPECT_FALSE(DecomposeSymmetric(3, std::vector<double>(8)).ok());
  EXPECT_FALSE(DecomposeSymmetric(0, {}).ok());
  EXPECT_EQ(DecomposeSymmetric(kLargestEigenRows + 1, {}).status().message(),
            "eigenvectors of 32001 rows are asked for; at most 32000 can be had");
  EXPECT_FALSE(DecomposeSymmetric(1, {std::numeric_limits<double>::quiet_NaN()}).ok());
  EXPECT_FALSE(DecomposeSymmetric(2, {1, 0, std::numeric_limits<double>::infinity(), 1}).ok());
}

}  // namespace
}  // namespace tersor
