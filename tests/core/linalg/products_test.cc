#include "core/linalg/products.h"

#include <ostream>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace tersor {
namespace {

struct Sizes {
  int64_t rows, inner, columns;
};

void PrintTo(const Sizes& sizes, std::ostream* out) {
  *out << sizes.rows << "x" << sizes.inner << "x" << sizes.columns;
}

std::vector<float> Random(int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

class ProductsTest : public ::testing::TestWithParam<Sizes> {};

TEST_P(ProductsTest, MatchPlainSums) {
  const auto [rows, inner, columns] = GetParam();
  const std::vector<float> a = Random(rows * (inner + 2), 1), b = Random(inner * (columns + 1), 2);
  const std::vector<float> start = Random(rows * (columns + 3), 3);
  const ConstMatrixView a_view(a.data(), rows, inner, inner + 2), b_view(b.data(), inner, columns, columns + 1);
  std::vector<float> b_transposed(columns * inner), a_transposed(inner * rows);
  for (int64_t k = 0; k < inner; ++k) {
    for (int64_t j = 0; j < columns; ++j) b_transposed[j * inner + k] = b_view.at(k, j);
    for (int64_t i = 0; i < rows; ++i) a_transposed[k * rows + i] = a_view.at(i, k);
  }
  std::vector<float> plain = start, second = start, third = start;
  AddProduct(a_view, b_view, {plain.data(), rows, columns, columns + 3});
  AddProductTransposed(a_view, {b_transposed.data(), columns, inner}, {second.data(), rows, columns, columns + 3});
  AddTransposedProduct({a_transposed.data(), inner, rows}, b_view, {third.data(), rows, columns, columns + 3});
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns + 3; ++j) {
      double expected = start[i * (columns + 3) + j];
      for (int64_t k = 0; j < columns && k < inner; ++k)
        expected += static_cast<double>(a_view.at(i, k)) * b_view.at(k, j);
      for (const auto* result : {&plain, &second, &third}) {
        ASSERT_NEAR((*result)[i * (columns + 3) + j], expected, 1e-5 * (inner + 1));
      }
    }
  }
}

TEST_P(ProductsTest, GramFillsTheLowerTriangleOnly) {
  const auto [rows, inner, columns] = GetParam();
  const std::vector<float> x = Random(inner * columns, 4);
  std::vector<float> gram(columns * columns, 7.0f);
  AddGram({x.data(), inner, columns}, {gram.data(), columns, columns});
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      double expected = 7;
      for (int64_t k = 0; j <= i && k < inner; ++k)
        expected += static_cast<double>(x[k * columns + i]) * x[k * columns + j];
      ASSERT_NEAR(gram[i * columns + j], expected, 1e-5 * (inner + 1));
    }
  }
}

TEST_P(ProductsTest, TriangularSolvesInvertTheProduct) {
  const auto [rows, inner, columns] = GetParam();
  std::vector<float> upper = Random(columns * columns, 5);
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t j = 0; j < i; ++j) upper[i * columns + j] = 1e30f;  // never read
    for (int64_t j = i; j < columns; ++j) upper[i * columns + j] /= columns;
    upper[i * columns + i] += 2;
  }
  const std::vector<float> x = Random(rows * columns, 6);
  for (const bool transposed : {false, true}) {
    std::vector<float> b(rows * columns);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < columns; ++k) {
          const int64_t row = transposed ? j : k, column = transposed ? k : j;
          if (column >= row) sum += static_cast<double>(x[i * columns + k]) * upper[row * columns + column];
        }
        b[i * columns + j] = static_cast<float>(sum);
      }
    }
    const ConstMatrixView upper_view(upper.data(), columns, columns);
    transposed ? SolveRightUpperTransposed(upper_view, {b.data(), rows, columns})
               : SolveRightUpper(upper_view, {b.data(), rows, columns});
    for (int64_t i = 0; i < rows * columns; ++i) ASSERT_NEAR(b[i], x[i], 1e-4);
  }
}

TEST_P(ProductsTest, LeftSolveIsTheRightSolveTransposed) {
  const auto [rows, inner, columns] = GetParam();
  std::vector<float> upper = Random(columns * columns, 7);
  for (int64_t i = 0; i < columns; ++i) upper[i * columns + i] = static_cast<float>(columns);
  const std::vector<float> b = Random(rows * columns, 8);
  std::vector<float> right = b, left(columns * rows);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) left[j * rows + i] = b[i * columns + j];
  }
  SolveRightUpper({upper.data(), columns, columns}, {right.data(), rows, columns});
  SolveLeftUpperTransposed({upper.data(), columns, columns}, {left.data(), columns, rows});
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) ASSERT_NEAR(left[j * rows + i], right[i * columns + j], 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ProductsTest,
                         ::testing::Values(Sizes{1, 1, 1}, Sizes{3, 5, 7}, Sizes{65, 33, 17}, Sizes{16, 130, 97}));

}  // namespace
}  // namespace tersor
