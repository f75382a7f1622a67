#include "core/compress/quantize/bcq.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/compress/quantize/moment_form.h"
#include "core/compress/quantize/option_checks.h"
#include "core/kernels/binary_fit.h"
#include "core/kernels/parallel.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

constexpr int kMostPlanes = BitPlaneTensor::kMostPlanes;
// Added to each input's mean square as a share of their mean, so that inputs that were 0 on this text still count.
constexpr double kDamping = 0.01;
static_assert(kMostPlanes == kMostSignPlanes, "the kernel fits as many planes as a tensor may have");

}  // namespace

MethodDescription BcqMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "A sum of scaled sign planes for each group, fitted where inputs are large",
          .reference = "arXiv 2206.09557, section 3.1",
          .options = {{"planes", "integer", "4", "Sign planes, 1 to 8"},
                      {"group_size", "integer", "64", "Weights of a row that share their scales; -1: one set a row"},
                      {"rounds", "integer", "15", "Rounds of alternating between scales and codes; 0: the greedy fit"},
                      {"input_weighting", "boolean", "true",
                       "Count errors by the mean squares of the inputs; false: the paper's fit, which reads no text"}}};
}

std::unique_ptr<const Method> BcqMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                              std::vector<FieldViolation>& violations) {
  const v1::BcqConfig& config = stage.bcq();
  Options options;
  if (config.has_planes()) options.planes = config.planes();
  if (config.has_group_size()) options.group_size = config.group_size();
  if (config.has_rounds()) options.rounds = config.rounds();
  if (config.has_input_weighting()) options.input_weighting = config.input_weighting();
  const OptionChecks checks{field, violations};
  checks.InRange("planes", options.planes, 1, kMostPlanes);
  checks.GroupSize("group_size", options.group_size);
  checks.InRange("rounds", options.rounds, 0, 1000);
  return std::unique_ptr<const Method>(
      new BcqMethod(options, ReadActivations(stage, {}, StageField(field), violations)));
}

PlannedEncoding BcqMethod::WeightEncoding(const LinearLayer& layer) const {
  const int64_t group = options_.group_size == -1 ? layer.inputs : options_.group_size;
  return {.encoding = std::string(BitPlaneTensor::kName),
          .bytes = BitPlaneTensor::ByteSize({layer.outputs, layer.inputs, options_.planes, group}),
          .bits = options_.planes,
          .group_size = group};
}

double BcqMethod::OperationsAWeight() const {
  // Each round looks at half of the 2^planes values, then at each two planes' signs.
  const double planes = options_.planes;
  return 60 + (options_.rounds + 1) * (8 * std::exp2(planes - 1) + 4 * planes * planes + 10 * planes + 40);
}

std::set<Statistic> BcqMethod::statistics() const {
  std::set<Statistic> wanted = LayerwiseMethod::statistics();
  if (weighs_inputs()) wanted.insert(Statistic::kNorm);
  return wanted;
}

std::vector<float> BcqMethod::Importance(const LayerWeight& weight) const {
  std::vector<float> importance(weight.stored->columns(), 1.0f);
  if (!weighs_inputs()) return importance;
  const std::vector<float> norms = weight.statistics->Norms();
  double mean = 0;
  for (const float norm : norms) mean += static_cast<double>(norm) * norm / static_cast<double>(norms.size());
  if (!(mean > 0)) return importance;
  for (size_t k = 0; k < norms.size(); ++k) {
    importance[k] = static_cast<float>(static_cast<double>(norms[k]) * norms[k] / mean + kDamping);
  }
  return importance;
}

absl::StatusOr<EncodedLayer> BcqMethod::EncodeWeight(const LayerWeight& weight) const {
  TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
  const int64_t rows = values.view().rows, columns = values.view().columns;
  const int64_t group = options_.group_size == -1 ? columns : options_.group_size, groups = columns / group;
  const int planes = options_.planes;
  const std::vector<float> importance = Importance(weight);
  std::vector<uint8_t> codes(rows * columns);
  std::vector<uint16_t> scales(rows * groups * planes);
  RunTasks(weight.threads, (rows + kPanelRows - 1) / kPanelRows, [&](int64_t task) {
    const int64_t first = task * kPanelRows, count = std::min(kPanelRows, rows - first);
    const std::vector<float> panel = ToPanel(values.view().Rows(first, count));
    std::vector<int32_t> panel_codes(group * kPanelRows);
    std::array<float, kMostPlanes * kPanelRows> panel_scales;
    for (int64_t g = 0; g < groups; ++g) {
      FitBinaryPanel(panel.data() + g * group * kPanelRows, std::span(importance).subspan(g * group, group), planes,
                     options_.rounds, panel_codes.data(), panel_scales.data());
      for (int64_t r = 0; r < count; ++r) {
        uint8_t* row_codes = codes.data() + (first + r) * columns + g * group;
        for (int64_t k = 0; k < group; ++k) row_codes[k] = static_cast<uint8_t>(panel_codes[k * kPanelRows + r]);
        uint16_t* row_scales = scales.data() + ((first + r) * groups + g) * planes;
        for (int plane = 0; plane < planes; ++plane)
          row_scales[plane] = FloatToF16(panel_scales[plane * kPanelRows + r]);
      }
    }
  });
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded,
                          BitPlaneTensor::Create({rows, columns, planes, group}, codes, scales));
  return EncodedLayer{std::move(encoded), ""};
}

}  // namespace tersor
