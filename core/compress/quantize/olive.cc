#include "core/compress/quantize/olive.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/pair_scale.h"
#include "core/encoding/outlier_pair_format.h"
#include "core/encoding/outlier_pair_tensor.h"
#include "core/kernels/parallel.h"
#include "core/tensor/float16.h"
#include "nlohmann/json.hpp"

namespace tersor {

MethodDescription OliveMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "Outlier-victim pairs: an outlier takes its neighbour's code for a wider range",
          .reference = "arXiv 2304.07493",
          .options = {{"bits", "4 | 8", "4", "Bits of a weight and of an input"},
                      {"group_size", "integer", "-1", "Weights of a row that share a scale; -1: one scale a row"},
                      {"quantize_activations", "boolean", "true", "Inputs too"}}};
}

std::unique_ptr<const Method> OliveMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                                std::vector<FieldViolation>& violations) {
  const v1::OliveConfig& config = stage.olive();
  Options options;
  if (config.has_bits()) options.bits = config.bits();
  if (config.has_group_size()) options.group_size = config.group_size();
  if (config.has_quantize_activations()) options.inputs = config.quantize_activations();
  const OptionChecks checks{field, violations};
  if (options.bits != 4 && options.bits != 8) checks.Fault("bits", absl::StrCat("must be 4 or 8, got ", options.bits));
  checks.GroupSize("group_size", options.group_size);
  if (options.group_size > 0 && options.group_size % 2 != 0) checks.Fault("group_size", "must hold whole pairs");
  RefuseActivations(stage, StageField(field), kName, violations);
  return std::unique_ptr<const Method>(new OliveMethod(options));
}

std::set<Statistic> OliveMethod::statistics() const {
  return options_.inputs ? std::set<Statistic>{Statistic::kSample} : std::set<Statistic>{};
}

std::vector<FieldViolation> OliveMethod::CheckLayers(const std::vector<LinearLayer>& layers,
                                                     const std::string& field) const {
  std::vector<FieldViolation> violations = LayerwiseMethod::CheckLayers(layers, field);
  const auto odd = std::find_if(layers.begin(), layers.end(), [](const auto& layer) { return layer.inputs % 2 != 0; });
  if (odd != layers.end()) {
    violations.push_back({field, absl::StrCat("the ", odd->inputs, " inputs of ", odd->name, " do not make pairs")});
  }
  return violations;
}

PlannedEncoding OliveMethod::WeightEncoding(const LinearLayer& layer) const {
  const int64_t group = options_.group_size == -1 ? layer.inputs : options_.group_size;
  PlannedEncoding encoding{.encoding = std::string(OutlierPairTensor::kName),
                           .bytes = OutlierPairTensor::ByteSize({layer.outputs, layer.inputs, options_.bits, group}),
                           .bits = options_.bits,
                           .group_size = group};
  if (!options_.inputs) return encoding;
  encoding.input_format = std::string(OutlierPairFormat::kName);
  encoding.input_parameters = nlohmann::json({{"bits", options_.bits}}).dump();
  return encoding;
}

absl::StatusOr<EncodedLayer> OliveMethod::EncodeWeight(const LayerWeight& weight) const {
  TERSOR_ASSIGN_OR_RETURN(const WeightValues decoded, weight.Decode());
  const int64_t rows = decoded.view().rows, columns = decoded.view().columns;
  const int64_t group = options_.group_size == -1 ? columns : options_.group_size, groups = columns / group;
  const OutlierPairs pairs(options_.bits);
  std::vector<uint8_t> codes(rows * columns);
  std::vector<uint16_t> scales(rows * groups);
  RunTasks(weight.threads, rows * groups, [&](int64_t i) {
    const float* values = decoded.view().row(i / groups) + i % groups * group;
    scales[i] = FloatToF16(FitPairScale({values, static_cast<size_t>(group)}, pairs));
    const float scale = F16ToFloat(scales[i]), inverse = scale > 0 ? 1 / scale : 0;
    for (int64_t k = 0; k < group; k += 2) {
      const float pair[2] = {values[k] * inverse, values[k + 1] * inverse};
      pairs.Encode(pair, codes.data() + i / groups * columns + i % groups * group + k);
    }
  });
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded,
                          OutlierPairTensor::Create({rows, columns, options_.bits, group}, codes, scales));
  // Each pair with an outlier has one code that says so.
  const auto outliers = std::count(codes.begin(), codes.end(), pairs.identifier());
  return EncodedLayer{.weight = std::move(encoded),
                      .note = "",
                      .outlier_share = static_cast<double>(outliers) / static_cast<double>(rows * columns)};
}

absl::StatusOr<ActivationFormatPtr> OliveMethod::InputFormat(int64_t width, const InputStatistics* statistics) const {
  if (!options_.inputs) return nullptr;
  const ConstMatrixView sample = statistics->sample();
  const float scale =
      FitPairScale({sample.data, static_cast<size_t>(sample.rows * sample.columns)}, OutlierPairs(options_.bits));
  return OutlierPairFormat::Create(width, options_.bits, scale);
}

}  // namespace tersor
