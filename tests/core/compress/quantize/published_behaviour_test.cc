// What the methods' papers say, on small matrices, by formulas written here anew.
#include <cmath>
#include <random>

#include "core/compress/quantize/clipped_rounding.h"
#include "core/compress/quantize/codebook_rounding.h"
#include "core/compress/quantize/pair_scale.h"
#include "core/compress/quantize/rptq.h"
#include "core/compress/quantize/rtn.h"
#include "core/compress/quantize/smoothquant.h"
#include "core/encoding/outlier_pairs.h"
#include "core/kernels/binary_fit.h"
#include "core/linalg/low_rank.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

std::vector<float> Normal(size_t count, unsigned seed, float deviation = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

double SquaredError(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return sum;
}

TEST(SmoothQuantTest, ScalesAreEquationFour) {
  EXPECT_THAT(SmoothingScales({16, 2, 9}, {4, 8, 0}, 0.5), ElementsAre(FloatEq(2), FloatEq(0.5f), FloatEq(1)));
  EXPECT_THAT(SmoothingScales({16, 0}, {4, 8}, 0.75), ElementsAre(FloatEq(8 / std::sqrt(2.0f)), FloatEq(1)));
}

TEST(Nf4Test, BeatsSymmetricIntegersOnNormalWeights) {
  const std::vector<float> weights = Normal(64 * 256, 1);
  const ConstMatrixView view(weights.data(), 64, 256);
  const auto nf4 = *RoundToCodebook(view, {.book = &Nf4Book(), .group_size = 64}, 1);
  const auto integers = *RoundToNearest(view, {.bits = 4, .group_size = 64}, 1);
  EXPECT_LT(SquaredError(nf4->Decode(), weights), 0.95 * SquaredError((*integers.Encode())->Decode(), weights));
}

TEST(CodebookRoundingTest, MxScalesFollowTheSpecification) {
  // absmax 5: 2^(2 - 2) = 1; absmax 7.9 saturates at 6; absmax 0.3: 2^(-2 - 2).
  std::vector<float> weights(96, 0.0f);
  weights[0] = 5;
  weights[1] = 0.6f;
  weights[32] = -7.9f;
  weights[64] = 0.3f;
  const auto mx =
      *RoundToCodebook({weights.data(), 1, 96},
                       {.book = &E2m1Book(), .group_size = 32, .scales = ScaleForm::kE8m0, .mx_scales = true}, 1);
  const std::vector<float> out = mx->Decode();
  // 5 lies between 4 and 6: to the even mantissa.
  EXPECT_EQ(out[0], 4);
  EXPECT_EQ(out[1], 0.5f);
  EXPECT_EQ(out[32], -6);
  EXPECT_EQ(out[64], 0.25f);
}

BinaryCodes FitBinaryCodes(const std::vector<float>& values, int planes, int rounds) {
  std::vector<float> panel(values.size() * kPanelRows), scales(planes * kPanelRows);
  std::vector<int32_t> codes(panel.size());
  for (size_t k = 0; k < values.size(); ++k) panel[k * kPanelRows] = values[k];
  FitBinaryPanel(panel.data(), std::vector<float>(values.size(), 1.0f), planes, rounds, codes.data(), scales.data());
  BinaryCodes fit;
  for (size_t k = 0; k < values.size(); ++k) fit.codes.push_back(static_cast<uint8_t>(codes[k * kPanelRows]));
  for (int plane = 0; plane < planes; ++plane) fit.scales.push_back(scales[plane * kPanelRows]);
  return fit;
}

TEST(BcqTest, GreedyFitIsTheFormula) {
  const std::vector<float> values = {1, -2, 3, 4};
  const BinaryCodes fit = FitBinaryCodes(values, 2, 0);
  // mean |w| = 2.5, residuals -1.5, 0.5, 0.5, 1.5; their mean magnitude is 1.
  EXPECT_THAT(fit.scales, ElementsAre(2.5f, 1));
  EXPECT_THAT(fit.codes, ElementsAre(1, 2, 3, 3));
}

TEST(BcqTest, AlternatingBeatsGreedyAndFindsWhatIsThere) {
  const std::vector<float> values = Normal(64, 3);
  const auto error = [&](const std::vector<float>& w, const BinaryCodes& fit) {
    double sum = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      double value = 0;
      for (size_t p = 0; p < fit.scales.size(); ++p) value += (fit.codes[i] >> p & 1 ? 1 : -1) * fit.scales[p];
      sum += std::pow(w[i] - value, 2);
    }
    return sum;
  };
  for (int planes = 1; planes <= 4; ++planes) {
    const double greedy = error(values, FitBinaryCodes(values, planes, 0));
    const double alternating = error(values, FitBinaryCodes(values, planes, 15));
    if (planes == 1) {
      EXPECT_NEAR(alternating, greedy, 1e-2);
    } else {
      EXPECT_LT(alternating, 0.97 * greedy) << planes;
    }
  }
  // Weights that are sums of signs already.
  std::vector<float> exact;
  for (int code = 0; code < 8; ++code) exact.push_back((code & 1 ? 1 : -1) + (code & 2 ? 2 : -2) + (code & 4 ? 4 : -4));
  EXPECT_NEAR(error(exact, FitBinaryCodes(exact, 3, 30)), 0, 1e-6);
}

// The evenly spaced values of a 4-bit integer grid are one of the sums that four planes can be.
TEST(BcqTest, FourPlanesAreNoWorseThanFourBitIntegers) {
  for (const unsigned seed : {3u, 5u, 8u, 13u}) {
    const std::vector<float> values = Normal(64, seed);
    float largest = 0;
    for (const float value : values) largest = std::abs(value) > std::abs(largest) ? value : largest;
    const float scale = largest / -8;
    double integers = 0, planes = 0;
    const BinaryCodes fit = FitBinaryCodes(values, 4, 15);
    for (size_t i = 0; i < values.size(); ++i) {
      integers += std::pow(values[i] - scale * std::clamp(std::nearbyint(values[i] / scale), -8.0f, 7.0f), 2);
      double value = 0;
      for (size_t p = 0; p < 4; ++p) value += (fit.codes[i] >> p & 1 ? 1 : -1) * fit.scales[p];
      planes += std::pow(values[i] - value, 2);
    }
    EXPECT_LT(planes, integers) << seed;
  }
}

TEST(RptqTest, ClustersGatherChannelsOfLikeRange) {
  const std::vector<uint16_t> clusters = ClusterRanges({-1, -10, -1.1f, -9.8f, -0.9f, 0}, {1, 9, 1.2f, 9.1f, 1, 50}, 3);
  EXPECT_EQ(clusters[0], clusters[2]);
  EXPECT_EQ(clusters[0], clusters[4]);
  EXPECT_EQ(clusters[1], clusters[3]);
  EXPECT_NE(clusters[0], clusters[1]);
  EXPECT_NE(clusters[1], clusters[5]);
  EXPECT_NE(clusters[0], clusters[5]);
  EXPECT_THAT(ClusterRanges({-1, -1}, {1, 1}, 8), ElementsAre(0, 0));
}

TEST(OliveTest, AnOutlierTakesItsNeighboursCode) {
  const OutlierPairs pairs(4);
  uint8_t codes[2];
  float decoded[2];
  const auto round = [&](float a, float b) {
    const float values[2] = {a, b};
    pairs.Encode(values, codes);
    pairs.Decode(codes, decoded);
    return std::vector<float>{decoded[0], decoded[1]};
  };
  EXPECT_THAT(round(3.4f, -7.2f), ElementsAre(3, -7));
  // Section 3.3: outliers of 4 bits reach from 12 to 96.
  EXPECT_THAT(round(3, 50), ElementsAre(0, 48));
  EXPECT_THAT(round(-200, 3), ElementsAre(-96, 0));
  EXPECT_THAT(round(20, 90), ElementsAre(0, 96));
  EXPECT_EQ(pairs.largest_outlier(), 96);
  for (int first = 0; first < 16; ++first) {
    for (int second = 0; second < 16; ++second) {
      const uint8_t pair[2] = {static_cast<uint8_t>(first), static_cast<uint8_t>(second)};
      pairs.Decode(pair, decoded);
      EXPECT_TRUE(std::isfinite(decoded[0]) && std::isfinite(decoded[1]));
    }
  }
}

TEST(OliveTest, PairsBeatPlainIntegersWhereThereAreOutliers) {
  std::vector<float> values = Normal(512, 7);
  for (size_t i = 0; i < values.size(); i += 64) values[i] = 25;
  const OutlierPairs pairs(4);
  const float scale = FitPairScale(values, pairs);
  double pair_error = 0;
  for (size_t i = 0; i < values.size(); i += 2) {
    const float pair[2] = {values[i] / scale, values[i + 1] / scale};
    uint8_t codes[2];
    float decoded[2];
    pairs.Encode(pair, codes);
    pairs.Decode(codes, decoded);
    for (int k = 0; k < 2; ++k) pair_error += std::pow(decoded[k] * scale - values[i + k], 2);
  }
  const auto plain =
      *RoundToNearest({values.data(), 1, 512}, {.bits = 4, .group_size = -1, .search = v1::SCALE_SEARCH_MSE}, 1);
  EXPECT_LT(pair_error, 0.5 * SquaredError((*plain.Encode())->Decode(), values));
}

TEST(ClippedRoundingTest, NeverCostsMoreThanTheFullRange) {
  const int64_t rows = 16, columns = 64, tokens = 200;
  std::vector<float> weights = Normal(rows * columns, 11), inputs = Normal(tokens * columns, 12);
  for (int64_t row = 0; row < rows; ++row) weights[row * columns + row] *= 6;
  std::vector<float> moment(columns * columns);
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      for (int64_t t = 0; t < tokens; ++t) moment[i * columns + j] += inputs[t * columns + i] * inputs[t * columns + j];
    }
  }
  const GridOptions grid = {.bits = 3, .group_size = 32};
  const ConstMatrixView view(weights.data(), rows, columns);
  const auto cost = [&](const std::vector<float>& rounded) {
    double sum = 0;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t t = 0; t < tokens; ++t) {
        // Groups are judged one by one.
        for (int64_t g = 0; g < columns; g += 32) {
          double output = 0;
          for (int64_t i = g; i < g + 32; ++i) {
            output += (weights[row * columns + i] - rounded[row * columns + i]) * inputs[t * columns + i];
          }
          sum += output * output;
        }
      }
    }
    return sum;
  };
  const auto clipped = *RoundClipped(view, {moment.data(), columns, columns}, grid, 2).Encode();
  const auto full = *RoundToNearest(view, grid, 1)->Encode();
  EXPECT_LT(cost(clipped->Decode()), 0.9 * cost(full->Decode()));
}

TEST(LowRankTest, FactorsAreTheBestOfTheirRank) {
  // A matrix of rank 3 and small noise.
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{20, 12}, {9, 30}}) {
    const std::vector<float> a = Normal(rows * 3, 21), b = Normal(3 * columns, 22),
                             noise = Normal(rows * columns, 23, 1e-3f);
    std::vector<float> matrix = noise;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t k = 0; k < 3; ++k) {
        for (int64_t j = 0; j < columns; ++j) matrix[i * columns + j] += a[i * 3 + k] * b[k * columns + j];
      }
    }
    double last = SquaredError(matrix, std::vector<float>(matrix.size()));
    for (int64_t rank = 1; rank <= 4; ++rank) {
      const LowRankFactors factors = *FactorLowRank({matrix.data(), rows, columns}, rank);
      std::vector<float> product(matrix.size());
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t k = 0; k < rank; ++k) {
          for (int64_t j = 0; j < columns; ++j) {
            product[i * columns + j] += factors.left[i * rank + k] * factors.right[k * columns + j];
          }
        }
      }
      const double error = SquaredError(matrix, product);
      EXPECT_LT(error, last);
      last = error;
      if (rank < 3) continue;
      EXPECT_LE(error, SquaredError(noise, std::vector<float>(noise.size()))) << rank;
    }
  }
  const std::vector<float> values = {1, 2, 3, NAN};
  EXPECT_FALSE(FactorLowRank({values.data(), 2, 2}, 1).ok());
  EXPECT_FALSE(FactorLowRank({values.data(), 2, 2}, 3).ok());
}

}  // namespace
}  // namespace tersor
