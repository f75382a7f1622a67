#include "core/compress/quantize/bcq.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/compress/quantize/option_checks.h"
#include "core/kernels/parallel.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

constexpr int kMostPlanes = BitPlaneTensor::kMostPlanes;
constexpr float kLargestF16 = 65504.0f;

float Sign(uint8_t code, int plane) { return (code >> plane) & 1 ? 1.0f : -1.0f; }

float ValueOf(uint8_t code, const std::vector<float>& scales) {
  float value = 0;
  for (size_t plane = 0; plane < scales.size(); ++plane) value += scales[plane] * Sign(code, static_cast<int>(plane));
  return value;
}

// Equation 2 of the paper's appendix: r_0 = w; b_i = sign(r_i), scale_i = mean |r_i|, r_i+1 = r_i - scale_i b_i.
BinaryCodes FitGreedily(std::span<const float> values, int planes) {
  BinaryCodes fit{std::vector<uint8_t>(values.size()), std::vector<float>(planes)};
  std::vector<float> rest(values.begin(), values.end());
  for (int plane = 0; plane < planes; ++plane) {
    double sum = 0;
    for (const float value : rest) sum += std::abs(value);
    const float scale = fit.scales[plane] = static_cast<float>(sum / static_cast<double>(rest.size()));
    for (size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] >= 0) fit.codes[i] |= static_cast<uint8_t>(1u << plane);
      rest[i] -= rest[i] >= 0 ? scale : -scale;
    }
  }
  return fit;
}

// The scales with the least squared error for these codes, by Gaussian elimination on B^T B; false where the planes
// depend on each other.
bool SolveScales(std::span<const float> values, BinaryCodes& fit) {
  const int planes = static_cast<int>(fit.scales.size());
  std::array<std::array<double, kMostPlanes + 1>, kMostPlanes> system{};
  for (size_t i = 0; i < values.size(); ++i) {
    for (int a = 0; a < planes; ++a) {
      for (int b = 0; b < planes; ++b) system[a][b] += Sign(fit.codes[i], a) * Sign(fit.codes[i], b);
      system[a][planes] += Sign(fit.codes[i], a) * values[i];
    }
  }
  for (int k = 0; k < planes; ++k) {
    int pivot = k;
    for (int row = k + 1; row < planes; ++row) {
      if (std::abs(system[row][k]) > std::abs(system[pivot][k])) pivot = row;
    }
    if (std::abs(system[pivot][k]) < 1e-6) return false;
    std::swap(system[k], system[pivot]);
    for (int row = 0; row < planes; ++row) {
      if (row == k) continue;
      const double factor = system[row][k] / system[k][k];
      for (int column = k; column <= planes; ++column) system[row][column] -= factor * system[k][column];
    }
  }
  for (int k = 0; k < planes; ++k) fit.scales[k] = static_cast<float>(system[k][planes] / system[k][k]);
  return true;
}

// The nearest of the 2^planes values for each weight; returns the squared error.
double ChooseCodes(std::span<const float> values, BinaryCodes& fit) {
  const int count = 1 << fit.scales.size();
  std::array<std::pair<float, uint8_t>, 1 << kMostPlanes> points;
  for (int code = 0; code < count; ++code) {
    points[code] = {ValueOf(static_cast<uint8_t>(code), fit.scales), static_cast<uint8_t>(code)};
  }
  std::sort(points.begin(), points.begin() + count);
  double error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto above = std::lower_bound(points.begin() + 1, points.begin() + count - 1, values[i],
                                        [](const auto& point, float value) { return point.first < value; });
    const auto below = above - 1;
    const auto nearest = values[i] - below->first <= above->first - values[i] ? below : above;
    fit.codes[i] = nearest->second;
    const double difference = values[i] - nearest->first;
    error += difference * difference;
  }
  return error;
}

void RoundScales(BinaryCodes& fit) {
  for (float& scale : fit.scales) scale = F16ToFloat(FloatToF16(std::clamp(scale, -kLargestF16, kLargestF16)));
}

}  // namespace

MethodDescription BcqMethod::Describe() {
  return {
      .name = std::string(kName),
      .family = "quantize",
      .summary = "A sum of scaled sign planes for each group; reads no calibration text",
      .reference = "arXiv 2206.09557, section 3.1",
      .options = {{"planes", "integer", "4", "Sign planes, 1 to 8"},
                  {"group_size", "integer", "64", "Weights of a row that share their scales; -1: one set a row"},
                  {"rounds", "integer", "15", "Rounds of alternating between scales and codes; 0: the greedy fit"}}};
}

std::unique_ptr<const Method> BcqMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                              std::vector<FieldViolation>& violations) {
  const v1::BcqConfig& config = stage.bcq();
  Options options;
  if (config.has_planes()) options.planes = config.planes();
  if (config.has_group_size()) options.group_size = config.group_size();
  if (config.has_rounds()) options.rounds = config.rounds();
  const OptionChecks checks{field, violations};
  checks.InRange("planes", options.planes, 1, kMostPlanes);
  checks.GroupSize("group_size", options.group_size);
  checks.InRange("rounds", options.rounds, 0, 1000);
  return std::unique_ptr<const Method>(
      new BcqMethod(options, ReadActivations(stage, {}, StageField(field), violations)));
}

BinaryCodes FitBinaryCodes(std::span<const float> values, int planes, int rounds) {
  BinaryCodes best = FitGreedily(values, planes);
  RoundScales(best);
  BinaryCodes fit = best;
  // The greedy codes are kept where nothing is to be improved: they need not be the nearest.
  if (rounds == 0) return best;
  double least = ChooseCodes(values, best);
  fit = best;
  for (int round = 0; round < rounds; ++round) {
    if (!SolveScales(values, fit)) break;
    RoundScales(fit);
    const double error = ChooseCodes(values, fit);
    if (!(error < least)) break;
    least = error;
    best = fit;
  }
  return best;
}

PlannedEncoding BcqMethod::WeightEncoding(const LinearLayer& layer) const {
  const int64_t group = options_.group_size == -1 ? layer.inputs : options_.group_size;
  return {.encoding = std::string(BitPlaneTensor::kName),
          .bytes = BitPlaneTensor::ByteSize({layer.outputs, layer.inputs, options_.planes, group}),
          .bits = options_.planes,
          .group_size = group};
}

double BcqMethod::OperationsAWeight() const {
  const double planes = options_.planes;
  return 60 + options_.rounds * (4 * planes * planes + 10 * planes + 40);
}

absl::StatusOr<EncodedLayer> BcqMethod::EncodeWeight(const LayerWeight& weight) const {
  const int64_t rows = weight.values.rows, columns = weight.values.columns;
  const int64_t group = options_.group_size == -1 ? columns : options_.group_size, groups = columns / group;
  std::vector<uint8_t> codes(rows * columns);
  std::vector<uint16_t> scales(rows * groups * options_.planes);
  RunTasks(weight.threads, rows, [&](int64_t row) {
    for (int64_t g = 0; g < groups; ++g) {
      const std::span<const float> values(weight.values.row(row) + g * group, group);
      const BinaryCodes fit = FitBinaryCodes(values, options_.planes, options_.rounds);
      std::copy(fit.codes.begin(), fit.codes.end(), codes.begin() + row * columns + g * group);
      std::transform(fit.scales.begin(), fit.scales.end(), scales.begin() + (row * groups + g) * options_.planes,
                     FloatToF16);
    }
  });
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded,
                          BitPlaneTensor::Create({rows, columns, options_.planes, group}, codes, scales));
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
