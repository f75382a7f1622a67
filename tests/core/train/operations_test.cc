// Backward passes against central differences, and the fast kernels against the plain operations.
#include "core/train/operations.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <random>

#include "core/kernels/activation_gradients.h"
#include "core/kernels/adam_step.h"
#include "core/kernels/attention_gradient.h"
#include "core/kernels/gradient_product.h"
#include "core/kernels/norm_gradients.h"
#include "core/kernels/softmax_gradient.h"
#include "core/train/divergence_loss.h"
#include "core/train/trained_block_parts.h"

namespace tersor {
namespace {

namespace ops = operations;
using ops::Values;

Values Random(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  Values values(count);
  // Floats, so that the fast kernels see the same numbers.
  for (double& value : values) value = static_cast<float>(normal(generator));
  return values;
}

std::vector<float> Floats(const Values& values) { return {values.begin(), values.end()}; }

double Dot(const Values& a, const Values& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// `gradient` is that of the sum of output x weights, where forward(x) is the output.
void ExpectGradient(const std::function<Values(const Values&)>& forward, Values x, const Values& weights,
                    const Values& gradient, const std::string& what) {
  ASSERT_EQ(gradient.size(), x.size()) << what;
  constexpr double kStep = 1e-6;
  for (size_t i = 0; i < x.size(); ++i) {
    const double before = x[i];
    x[i] = before + kStep;
    const double above = Dot(forward(x), weights);
    x[i] = before - kStep;
    const double below = Dot(forward(x), weights);
    x[i] = before;
    ASSERT_NEAR((above - below) / (2 * kStep), gradient[i], 1e-7 * (1 + std::fabs(gradient[i]))) << what << " " << i;
  }
}

void ExpectNear(const float* ours, const Values& expected, double tolerance, const std::string& what) {
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(ours[i], expected[i], tolerance * (1 + std::fabs(expected[i]))) << what << " " << i;
  }
}

TEST(OperationsTest, EmbeddingBackward) {
  const std::vector<int32_t> ids = {3, 0, 3, 1};
  const Values table = Random(5 * 3, 1), weights = Random(4 * 3, 2);
  Values gradient(table.size());
  ops::EmbedBackward(3, ids, 1.5, weights, gradient);
  ExpectGradient([&](const Values& t) { return ops::Embed(t, 3, ids, 1.5); }, table, weights, gradient, "table");
}

TEST(OperationsTest, LinearBackward) {
  const ops::LinearShape shape = {3, 5};
  const Values x = Random(4 * 5, 1), weight = Random(15, 2), bias = Random(3, 3), weights = Random(12, 4);
  const ops::LinearGradients gradients = ops::LinearBackward(shape, x, weight, weights);
  ExpectGradient([&](const Values& v) { return ops::Linear(shape, v, weight, bias); }, x, weights, gradients.x, "x");
  ExpectGradient([&](const Values& v) { return ops::Linear(shape, x, v, bias); }, weight, weights, gradients.weight,
                 "weight");
  ExpectGradient([&](const Values& v) { return ops::Linear(shape, x, weight, v); }, bias, weights, gradients.bias,
                 "bias");
}

class NormOperationTest : public testing::TestWithParam<NormKind> {};

TEST_P(NormOperationTest, Backward) {
  const NormKind kind = GetParam();
  const Values x = Random(3 * 7, 1), weight = Random(7, 2), weights = Random(3 * 7, 4);
  const Values bias = kind == NormKind::kLayer ? Random(7, 3) : Values();
  const ops::NormGradients gradients = ops::NormBackward(kind, 1e-3, x, weight, weights);
  ExpectGradient([&](const Values& v) { return ops::Norm(kind, 1e-3, v, weight, bias); }, x, weights, gradients.x, "x");
  ExpectGradient([&](const Values& v) { return ops::Norm(kind, 1e-3, x, v, bias); }, weight, weights, gradients.weight,
                 "weight");
  if (bias.empty()) return;
  ExpectGradient([&](const Values& v) { return ops::Norm(kind, 1e-3, x, weight, v); }, bias, weights, gradients.bias,
                 "bias");
}

TEST_P(NormOperationTest, KernelMatches) {
  const NormKind kind = GetParam();
  for (const int64_t width : {1, 7, 16, 65}) {
    const int64_t rows = 5;
    const Values x = Random(rows * width, 1), weight = Random(width, 2), gradient = Random(rows * width, 3);
    const ops::NormGradients expected = ops::NormBackward(kind, 1e-2, x, weight, gradient);
    std::vector<float> factors = Floats(weight);
    for (float& factor : factors) factor += kind == NormKind::kRmsPlusOne ? 1 : 0;
    const NormShape shape = {width, 1e-2f, kind == NormKind::kLayer};
    const std::vector<float> xf = Floats(x), gf = Floats(gradient);
    std::vector<float> ours(rows * width), weight_gradient(width, 1), bias_gradient(width, 1);
    BackpropagateNorm(shape, xf.data(), factors.data(), gf.data(), rows, false, ours.data());
    ExpectNear(ours.data(), expected.x, 1e-5, "x");
    BackpropagateNorm(shape, xf.data(), factors.data(), gf.data(), rows, true, ours.data());
    EXPECT_NEAR(ours[0], 2 * expected.x[0], 1e-5 * (1 + std::fabs(expected.x[0])));
    AddNormWeightGradient(shape, xf.data(), gf.data(), rows, weight_gradient.data(), bias_gradient.data());
    for (float& value : weight_gradient) value -= 1;
    for (float& value : bias_gradient) value -= 1;
    ExpectNear(weight_gradient.data(), expected.weight, 1e-5, "weight");
    ExpectNear(bias_gradient.data(), expected.bias, 1e-5, "bias");
  }
}

// A norm does not see its input's length: the gradient has no part along it.
TEST(OperationsTest, GradientOfRmsNormIsAcrossItsInput) {
  const Values x = Random(9, 1);
  const ops::NormGradients gradients = ops::NormBackward(NormKind::kRms, 0, x, Values(9, 1.0), Random(9, 2));
  EXPECT_NEAR(Dot(gradients.x, x), 0, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Kinds, NormOperationTest,
                         testing::Values(NormKind::kRms, NormKind::kRmsPlusOne, NormKind::kLayer));

TEST(OperationsTest, RopeBackwardTurnsBack) {
  const Values x = Random(2 * 6, 1), weights = Random(2 * 6, 2), angles = {0.3, 2.5};
  ExpectGradient([&](const Values& v) { return ops::Rope(6, v, angles); }, x, weights,
                 ops::RopeBackward(6, weights, angles), "x");
  const Values back = ops::RopeBackward(6, ops::Rope(6, x, angles), angles);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(back[i], x[i], 1e-12);
}

constexpr Activation kActivations[] = {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh, Activation::kRelu};

TEST(OperationsTest, ActivationSlopes) {
  for (const Activation activation : kActivations) {
    for (const double x : Random(50, 1)) {
      const double slope = (ops::Activation(activation, x + 1e-6) - ops::Activation(activation, x - 1e-6)) / 2e-6;
      EXPECT_NEAR(slope, ops::ActivationSlope(activation, x), 1e-7);
    }
  }
}

TEST(OperationsTest, ActivationKernelsMatch) {
  for (const Activation activation : kActivations) {
    for (const int64_t count : {1, 7, 16, 50}) {
      Values x = Random(count, 1);
      x[0] = count == 1 ? -200 : 200;
      const Values up = Random(count, 2), gradient = Random(count, 3);
      Values alone, of_gate, of_up;
      for (int64_t i = 0; i < count; ++i) {
        const double slope = ops::ActivationSlope(activation, x[i]);
        alone.push_back(gradient[i] * slope);
        of_gate.push_back(gradient[i] * up[i] * slope);
        of_up.push_back(gradient[i] * ops::Activation(activation, x[i]));
      }
      const std::vector<float> xf = Floats(x), upf = Floats(up);
      // What follows the values must stay.
      std::vector<float> ours = Floats(gradient), gate(count + 1, 5);
      ours.push_back(7);
      BackpropagateActivation(activation, xf.data(), ours.data(), count);
      ExpectNear(ours.data(), alone, 1e-6, "alone");
      EXPECT_EQ(ours[count], 7);
      std::copy(gradient.begin(), gradient.end(), ours.begin());
      BackpropagateGated(activation, xf.data(), upf.data(), ours.data(), gate.data(), count);
      ExpectNear(ours.data(), of_up, 1e-6, "up");
      ExpectNear(gate.data(), of_gate, 1e-6, "gate");
      EXPECT_EQ(ours[count], 7);
      EXPECT_EQ(gate[count], 5);
    }
  }
}

TEST(OperationsTest, CapSlope) {
  for (const double cap : {0.0, 2.0}) {
    for (const double x : {-3.0, 0.1, 5.0}) {
      EXPECT_NEAR((ops::Cap(cap, x + 1e-6) - ops::Cap(cap, x - 1e-6)) / 2e-6, ops::CapSlope(cap, x), 1e-8);
    }
  }
}

struct AttentionCase {
  int heads, kv_heads, head_size, window;
  double cap;
  int64_t positions;
};

void PrintTo(const AttentionCase& c, std::ostream* out) {
  *out << c.heads << "/" << c.kv_heads << "x" << c.head_size << " window " << c.window << " cap " << c.cap << " of "
       << c.positions;
}

class AttentionOperationTest : public testing::TestWithParam<AttentionCase> {
 protected:
  void SetUp() override {
    const AttentionCase& c = GetParam();
    spec_.heads = c.heads;
    spec_.kv_heads = c.kv_heads;
    spec_.head_size = c.head_size;
    spec_.sliding_window = c.window;
    spec_.score_cap = c.cap;
    const int64_t queries = c.positions * c.heads * c.head_size, keys = c.positions * c.kv_heads * c.head_size;
    queries_ = Random(queries, 1);
    keys_ = Random(keys, 2);
    values_ = Random(keys, 3);
    weights_ = Random(queries, 4);
    gradients_ = ops::AttentionBackward(spec_, queries_, keys_, values_, weights_);
  }

  AttentionSpec spec_;
  Values queries_, keys_, values_, weights_;
  ops::AttentionGradients gradients_;
};

TEST_P(AttentionOperationTest, Backward) {
  if (GetParam().positions > 8) GTEST_SKIP() << "central differences of small cases alone";
  ExpectGradient([&](const Values& v) { return ops::Attention(spec_, v, keys_, values_); }, queries_, weights_,
                 gradients_.queries, "queries");
  ExpectGradient([&](const Values& v) { return ops::Attention(spec_, queries_, v, values_); }, keys_, weights_,
                 gradients_.keys, "keys");
  ExpectGradient([&](const Values& v) { return ops::Attention(spec_, queries_, keys_, v); }, values_, weights_,
                 gradients_.values, "values");
}

TEST_P(AttentionOperationTest, KernelMatches) {
  const AttentionCase& c = GetParam();
  const int64_t group = c.heads / c.kv_heads, query_width = c.heads * c.head_size, key_width = c.kv_heads * c.head_size;
  const std::vector<float> queries = Floats(queries_), keys = Floats(keys_), values = Floats(values_),
                           weights = Floats(weights_);
  std::vector<float> outputs(queries.size()), log_sums(c.positions * c.heads);
  std::vector<float> of_queries(queries.size(), 9), of_keys(keys.size(), 9), of_values(keys.size(), 9);
  for (int64_t head = 0; head < c.kv_heads; ++head) {
    const int64_t query_at = head * group * c.head_size, key_at = head * c.head_size;
    const KeyValueBlocks blocks(keys.data() + key_at, values.data() + key_at, key_width, c.positions, c.head_size);
    AttentionTile tile;
    tile.head_size = c.head_size;
    tile.group = group;
    tile.window = c.window;
    tile.scale = 1 / std::sqrt(static_cast<float>(c.head_size));
    tile.score_cap = static_cast<float>(c.cap);
    tile.positions = c.positions;
    tile.queries = queries.data() + query_at;
    tile.outputs = outputs.data() + query_at;
    tile.query_stride = tile.output_stride = query_width;
    tile.log_sums = log_sums.data() + head * group;
    tile.log_sum_stride = c.heads;
    tile.blocks = blocks.blocks();
    Attend(tile);
    AttentionGradient gradient;
    gradient.head_size = c.head_size;
    gradient.group = group;
    gradient.window = c.window;
    gradient.scale = tile.scale;
    gradient.score_cap = tile.score_cap;
    gradient.positions = c.positions;
    gradient.queries = tile.queries;
    gradient.outputs = tile.outputs;
    gradient.output_gradients = weights.data() + query_at;
    gradient.query_stride = query_width;
    gradient.log_sums = tile.log_sums;
    gradient.log_sum_stride = c.heads;
    gradient.keys = keys.data() + key_at;
    gradient.values = values.data() + key_at;
    gradient.key_stride = key_width;
    gradient.query_gradients = of_queries.data() + query_at;
    gradient.key_gradients = of_keys.data() + key_at;
    gradient.value_gradients = of_values.data() + key_at;
    BackpropagateAttention(gradient);
  }
  ExpectNear(outputs.data(), ops::Attention(spec_, queries_, keys_, values_), 1e-5, "outputs");
  ExpectNear(of_queries.data(), gradients_.queries, 2e-5, "queries");
  ExpectNear(of_keys.data(), gradients_.keys, 2e-5, "keys");
  ExpectNear(of_values.data(), gradients_.values, 2e-5, "values");
}

INSTANTIATE_TEST_SUITE_P(Shapes, AttentionOperationTest,
                         testing::Values(AttentionCase{1, 1, 2, 0, 0, 1}, AttentionCase{2, 1, 4, 0, 0, 5},
                                         AttentionCase{4, 2, 6, 3, 0, 7}, AttentionCase{2, 2, 6, 0, 1.5, 6},
                                         AttentionCase{3, 1, 24, 0, 0, 64}, AttentionCase{6, 2, 20, 70, 3, 131},
                                         AttentionCase{32, 1, 8, 0, 0, 65}, AttentionCase{1, 1, 64, 9, 0, 200}));

TEST(OperationsTest, GradientPanelsMatchLinearBackward) {
  for (const int64_t rows : {1, 7, 130}) {
    for (const ops::LinearShape shape : {ops::LinearShape{1, 1}, {64, 64}, {65, 63}, {5, 200}, {130, 16}}) {
      const Values x = Random(rows * shape.inputs, 1), gradient = Random(rows * shape.outputs, 2);
      const Values expected = ops::LinearBackward(shape, x, Values(shape.outputs * shape.inputs), gradient).weight;
      const std::vector<float> xf = Floats(x), gf = Floats(gradient);
      const auto add = [&](int64_t first, int64_t count, std::vector<float>& sums) {
        const ColumnPanels left = MakeColumnPanels(gf.data() + first * shape.outputs, count, shape.outputs, 2);
        const ColumnPanels right = MakeColumnPanels(xf.data() + first * shape.inputs, count, shape.inputs, 2);
        for (int64_t panel = 0; panel < left.panels(); ++panel) {
          AddGradientPanel(left, shape.outputs, panel, right, shape.inputs, sums.data());
        }
      };
      std::vector<float> whole(expected.size() + 1, 0), parts = whole;
      whole.back() = parts.back() = 3;
      add(0, rows, whole);
      ExpectNear(whole.data(), expected, 1e-5, "weight");
      EXPECT_EQ(whole.back(), 3);
      // Batch by batch: the same bits.
      for (int64_t first = 0; first < rows; first += 50) add(first, std::min<int64_t>(50, rows - first), parts);
      EXPECT_EQ(parts, whole);
    }
  }
}

TEST(OperationsTest, ScaledSoftmax) {
  for (const int64_t count : {1, 8, 19}) {
    const Values x = Random(count, 1);
    std::vector<float> ours = Floats(x);
    ours.push_back(7);
    ScaledSoftmax(ours.data(), count, 2, 0.5, 3);
    for (int64_t i = 0; i < count; ++i) EXPECT_NEAR(ours[i], 3 * std::exp(x[i] / 2 - 0.5), 1e-5);
    EXPECT_EQ(ours[count], 7);
  }
}

TEST(OperationsTest, AdamStep) {
  for (const int64_t count : {1, 16, 21}) {
    const std::vector<float> g = Floats(Random(count, 1));
    std::vector<float> first = Floats(Random(count, 2)), second(count, 0.5), values = Floats(Random(count, 3));
    const std::vector<float> m = first, v = second, w = values;
    values.push_back(7);
    AdamStep step{0.25f, 1.5f, 0.875f, 0.75f, 0.125f, 0.25f, 1e-3f, 0.125f, 0.5f};
    ApplyAdamStep(step, g.data(), first.data(), second.data(), values.data(), count);
    for (int64_t i = 0; i < count; ++i) {
      const double scaled = 0.5 * g[i];
      const double new_m = 0.875 * m[i] + 0.125 * scaled, new_v = 0.75 * v[i] + 0.25 * scaled * scaled;
      EXPECT_NEAR(first[i], new_m, 1e-6);
      EXPECT_NEAR(second[i], new_v, 1e-6);
      EXPECT_NEAR(values[i], 0.875 * w[i] - 0.25 * new_m / (1.5 * std::sqrt(new_v) + 1e-3), 1e-6);
    }
    EXPECT_EQ(values[count], 7);
  }
}

class DivergenceLossTest : public testing::TestWithParam<DivergenceKind> {};

TEST_P(DivergenceLossTest, Gradient) {
  for (const double temperature : {1.0, 2.5}) {
    const DivergenceOptions options = {GetParam(), temperature, 0.3, temperature > 1};
    const Values teacher = Random(11, 1), student = Random(11, 2);
    const auto loss = [&](const Values& x, Values* gradient) {
      Values z = x, t = teacher;
      const double value = BackpropagateDivergence<double>(options, 1, z, t);
      if (gradient != nullptr) *gradient = z;
      return value;
    };
    Values gradient;
    EXPECT_GT(loss(student, &gradient), 0);
    double sum = 0;
    for (const double value : gradient) sum += value;
    EXPECT_NEAR(sum, 0, 1e-12);
    ExpectGradient([&](const Values& x) { return Values{loss(x, nullptr)}; }, student, {1}, gradient, "student");
    EXPECT_NEAR(loss(teacher, &gradient), 0, 1e-12);
    for (const double value : gradient) EXPECT_NEAR(value, 0, 1e-12);
  }
}

// Probabilities that vanish in one of the two leave numbers.
TEST_P(DivergenceLossTest, FarLogits) {
  std::vector<float> student = {2000, 0, -2000}, teacher = {-2000, 0, 2000};
  const double loss = BackpropagateDivergence<float>({GetParam(), 1, 0.1}, 1, student, teacher);
  EXPECT_TRUE(std::isfinite(loss));
  for (const float value : student) EXPECT_TRUE(std::isfinite(value));
}

TEST(DivergenceLossTest, JensenShannonIsSymmetricAtAHalf) {
  const DivergenceOptions options = {DivergenceKind::kJensenShannon, 1, 0.5};
  Values a = Random(7, 1), b = Random(7, 2), c = b, d = a;
  EXPECT_NEAR(BackpropagateDivergence<double>(options, 1, a, b), BackpropagateDivergence<double>(options, 1, c, d),
              1e-14);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DivergenceLossTest,
                         testing::Values(DivergenceKind::kForwardKl, DivergenceKind::kReverseKl,
                                         DivergenceKind::kJensenShannon, DivergenceKind::kSkewForwardKl,
                                         DivergenceKind::kSkewReverseKl));

}  // namespace
}  // namespace tersor
