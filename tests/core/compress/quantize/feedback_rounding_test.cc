#include "core/compress/quantize/feedback_rounding.h"

#include <cmath>
#include <ostream>
#include <random>
#include <vector>

#include "core/compress/quantize/grid_refinement.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

// A layer and the second moment of correlated inputs.
struct Problem {
  int64_t rows, columns;
  std::vector<float> weights;
  std::vector<float> moment;

  Problem(int64_t rows, int64_t columns)
      : rows(rows), columns(columns), weights(rows * columns), moment(columns * columns) {
    std::mt19937 random(static_cast<unsigned>(rows * 1000 + columns));
    std::normal_distribution<float> normal;
    for (float& weight : weights) weight = normal(random) * 0.05f;
    const int64_t tokens = columns + 20;
    std::vector<float> x(columns);
    for (int64_t t = 0; t < tokens; ++t) {
      const float common = normal(random);
      for (int64_t i = 0; i < columns; ++i) x[i] = (normal(random) + common) * (1 + static_cast<float>(i % 7));
      for (int64_t i = 0; i < columns; ++i) {
        for (int64_t j = 0; j <= i; ++j) moment[i * columns + j] += x[i] * x[j];
      }
    }
  }
  ConstMatrixView Moment() const { return {moment.data(), columns, columns}; }
  ConstMatrixView Weights() const { return {weights.data(), rows, columns}; }
};

std::vector<double> Inverse(std::vector<double> a, int64_t n) {
  std::vector<double> b(n * n);
  for (int64_t i = 0; i < n; ++i) b[i * n + i] = 1;
  for (int64_t k = 0; k < n; ++k) {
    const double pivot = a[k * n + k];
    for (int64_t j = 0; j < n; ++j) a[k * n + j] /= pivot, b[k * n + j] /= pivot;
    for (int64_t i = 0; i < n; ++i) {
      const double factor = a[i * n + k];
      if (i == k) continue;
      for (int64_t j = 0; j < n; ++j) {
        a[i * n + j] -= factor * a[k * n + j];
        b[i * n + j] -= factor * b[k * n + j];
      }
    }
  }
  return b;
}

// GPTQ as its paper writes it, in double: after each column the inverse of the remaining ones is downdated. Grids are
// fitted when a group of neighbouring positions begins.
QuantizedMatrix ReferenceGptq(const Problem& problem, const std::vector<int64_t>& order, double damping,
                              const GridOptions& options) {
  const int64_t n = problem.columns;
  QuantizedMatrix out(problem.rows, n, options);
  const int64_t group = options.GroupColumns(n);
  const std::vector<double> full_inverse = Inverse(DampedMoment(problem.Moment(), damping, order), n);
  std::vector<double> inverse = full_inverse;
  std::vector<double> w(problem.rows * n);
  for (int64_t r = 0; r < problem.rows; ++r) {
    for (int64_t k = 0; k < n; ++k) w[r * n + k] = problem.weights[r * n + order[k]];
  }
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t r = 0; r < problem.rows; ++r) {
      GridCandidate& grid = out.grids[r * out.groups() + order[k] / group];
      if (k % group == 0) {
        std::vector<float> values(w.begin() + r * n + k, w.begin() + r * n + k + group);
        grid = FitGrid(values, {}, options);
      }
      const double code =
          grid.scale == 0 ? grid.zero_point : std::nearbyint(w[r * n + k] / grid.scale + grid.zero_point);
      const double clamped = std::clamp<double>(code, 0, options.max_code());
      out.codes[r * n + order[k]] = static_cast<uint8_t>(clamped);
      const double error = (w[r * n + k] - (clamped - grid.zero_point) * grid.scale) / inverse[k * n + k];
      for (int64_t j = k + 1; j < n; ++j) w[r * n + j] -= error * inverse[k * n + j];
    }
    const double pivot = inverse[k * n + k];
    std::vector<double> row(inverse.begin() + k * n, inverse.begin() + (k + 1) * n);
    for (int64_t i = k + 1; i < n; ++i) {
      for (int64_t j = k + 1; j < n; ++j) inverse[i * n + j] -= row[i] * row[j] / pivot;
    }
  }
  return out;
}

// sum over rows of d H d^T, H damped.
double Loss(const Problem& problem, double damping, const QuantizedMatrix& quantized) {
  const int64_t n = problem.columns;
  std::vector<double> d(n);
  double loss = 0;
  const double term = DampingTerm(problem.Moment(), damping);
  for (int64_t r = 0; r < problem.rows; ++r) {
    for (int64_t k = 0; k < n; ++k) d[k] = problem.weights[r * n + k] - quantized.Value(r, k);
    for (int64_t i = 0; i < n; ++i) {
      loss += term * d[i] * d[i];
      for (int64_t j = 0; j < n; ++j) loss += d[i] * d[j] * problem.moment[std::max(i, j) * n + std::min(i, j)];
    }
  }
  return loss;
}

struct Rounded {
  QuantizedMatrix matrix;
  double loss;
};

Rounded Round(const Problem& problem, const FeedbackSystem& system, const GridOptions& options, int64_t block,
              int refine_rounds = 0) {
  Rounded rounded{QuantizedMatrix(problem.rows, problem.columns, options), 0};
  for (int64_t first = 0; first < problem.rows; first += kPanelRows) {
    RoundingPanel panel(problem.columns);
    panel.Load(problem.Weights().Rows(first, std::min(kPanelRows, problem.rows - first)), system.order);
    RoundPanel(system, options, block, panel);
    RefinePanel(system, options, refine_rounds, panel);
    panel.Store(system.order, first, rounded.matrix);
    for (const float loss : panel.losses) rounded.loss += loss;
  }
  return rounded;
}

QuantizedMatrix RoundToNearest(const Problem& problem, const GridOptions& options) {
  QuantizedMatrix out(problem.rows, problem.columns, options);
  const int64_t group = options.GroupColumns(problem.columns);
  for (int64_t g = 0; g < problem.rows * out.groups(); ++g) {
    const std::span<const float> values(problem.weights.data() + g * group, group);
    out.grids[g] = FitGrid(values, {}, options);
    RoundToGrid(values.data(), group, out.grids[g], options.max_code(), out.codes.data() + g * group);
  }
  return out;
}

struct Case {
  int64_t rows, columns, group, block;
  int bits;
  bool symmetric;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.rows << "x" << c.columns << " g" << c.group << " block" << c.block << " b" << c.bits
       << (c.symmetric ? "s" : "z");
}

class FeedbackRoundingTest : public ::testing::TestWithParam<Case> {};

TEST_P(FeedbackRoundingTest, MatchesThePapersAlgorithm) {
  const Case c = GetParam();
  const Problem problem(c.rows, c.columns);
  const GridOptions options{c.bits, c.group, c.symmetric, v1::SCALE_SEARCH_MINMAX};
  const int64_t group = options.GroupColumns(c.columns);
  for (const ColumnOrder order : {ColumnOrder::kNatural, ColumnOrder::kFallingGroups}) {
    const FeedbackSystem system = *FeedbackSystem::Create(problem.Moment(), 0.01, order, group);
    const Rounded fast = Round(problem, system, options, c.block);
    const QuantizedMatrix plain = ReferenceGptq(problem, system.order, 0.01, options);
    // A target that lies almost in the middle of two codes may fall either way and changes what follows.
    int64_t different = 0;
    for (size_t i = 0; i < plain.codes.size(); ++i) different += plain.codes[i] != fast.matrix.codes[i];
    EXPECT_LE(different, 1 + static_cast<int64_t>(plain.codes.size()) / 50);
    const double expected = Loss(problem, 0.01, plain);
    EXPECT_NEAR(Loss(problem, 0.01, fast.matrix), expected, 0.01 * expected);
    EXPECT_NEAR(fast.loss, Loss(problem, 0.01, fast.matrix), 1e-3 * fast.loss);
    EXPECT_LT(fast.loss, 0.8 * Loss(problem, 0.01, RoundToNearest(problem, options)));
  }
}

TEST_P(FeedbackRoundingTest, SearchesLowerTheLoss) {
  const Case c = GetParam();
  const Problem problem(c.rows, c.columns);
  const auto loss = [&](v1::ScaleSearch search, int refine_rounds) {
    const GridOptions options{c.bits, c.group, c.symmetric, search};
    const FeedbackSystem system = *FeedbackSystem::Create(problem.Moment(), 0.01, ColumnOrder::kFallingGroups,
                                                          options.GroupColumns(c.columns), true);
    const Rounded rounded = Round(problem, system, options, c.block, refine_rounds);
    EXPECT_NEAR(rounded.loss, Loss(problem, 0.01, rounded.matrix), 2e-3 * rounded.loss);
    return rounded.loss;
  };
  const double minmax = loss(v1::SCALE_SEARCH_MINMAX, 0), hessian = loss(v1::SCALE_SEARCH_HESSIAN, 0);
  EXPECT_LT(hessian, (c.rows > 1 ? 1.0 : 1.3) * minmax);
  EXPECT_LT(loss(v1::SCALE_SEARCH_HESSIAN, 1), hessian);
  EXPECT_LE(loss(v1::SCALE_SEARCH_HESSIAN, 3), loss(v1::SCALE_SEARCH_HESSIAN, 1) * (1 + 1e-4));
}

INSTANTIATE_TEST_SUITE_P(Shapes, FeedbackRoundingTest,
                         ::testing::Values(Case{33, 96, 32, 128, 4, true}, Case{5, 60, 20, 40, 3, false},
                                           Case{40, 70, -1, 16, 4, true}, Case{1, 66, 33, 8, 5, false},
                                           Case{64, 64, 8, 24, 2, true}, Case{7, 48, 48, 48, 8, true}));

TEST(FeedbackSystemTest, OrdersColumnsAndGroups) {
  // Diagonal 1, 4, 3, 2.
  const std::vector<float> moment = {1, 0, 0, 0, 0, 4, 0, 0, 0, 0, 3, 0, 0, 0, 0, 2};
  const ConstMatrixView view(moment.data(), 4, 4);
  EXPECT_EQ(OrderColumns(view, ColumnOrder::kNatural, 2), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(OrderColumns(view, ColumnOrder::kFallingGroups, 4), (std::vector<int64_t>{1, 2, 3, 0}));
  EXPECT_EQ(OrderColumns(view, ColumnOrder::kFallingGroups, 2), (std::vector<int64_t>{1, 0, 2, 3}));
}

TEST(FeedbackSystemTest, SaysThatAMomentCannotBeFactored) {
  const std::vector<float> moment = {1, 0, 2, 1};
  EXPECT_EQ(FeedbackSystem::Create({moment.data(), 2, 2}, 0.01, ColumnOrder::kNatural, 2).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const std::vector<float> zero(4);
  EXPECT_TRUE(FeedbackSystem::Create({zero.data(), 2, 2}, 0.01, ColumnOrder::kNatural, 2).ok());
}

}  // namespace
}  // namespace tersor
