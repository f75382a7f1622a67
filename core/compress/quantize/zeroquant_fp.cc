#include "core/compress/quantize/zeroquant_fp.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/compress/quantize/option_checks.h"
#include "core/encoding/low_rank_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "core/linalg/low_rank.h"

namespace tersor {
namespace {

constexpr int64_t kMostRank = 4096;

// Factors are kept in 8 bits (section 3): E4M3 with a scale a row.
CodebookOptions FactorOptions() { return {.book = &E4m3Book(), .scales = ScaleForm::kF32}; }

ScaleForm FormOf(const std::string& constraint) {
  if (constraint == "m1") return ScaleForm::kE8m0;
  return constraint == "m2" ? ScaleForm::kRowShift : ScaleForm::kF16;
}

}  // namespace

MethodDescription ZeroQuantFpMethod::Describe() {
  return {.name = std::string(kName),
          .family = "quantize",
          .summary = "4-bit float weights in groups, 8-bit float inputs, low-rank factors of the error (LoRC)",
          .reference = "arXiv 2307.09782",
          .options = {{"format", "e2m1 | e4m3 | e5m2", "e2m1", "Weights' format"},
                      {"group_size", "integer", "64", "Weights of a row that share a scale; -1: one scale a row"},
                      {"scale_constraint", "none | m1 | m2", "none",
                       "m1: scales are powers of two; m2: powers of two times a factor of the row"},
                      {"lorc_rank", "integer", "0", "Rank of the error's low-rank factors; 0: none"}}};
}

std::unique_ptr<const Method> ZeroQuantFpMethod::Make(const v1::QuantizeStage& stage, const std::string& field,
                                                      std::vector<FieldViolation>& violations) {
  const v1::ZeroQuantFpConfig& config = stage.zeroquant_fp();
  const OptionChecks checks{field, violations};
  if (!config.format().empty()) checks.OneOf("format", config.format(), {"e2m1", "e4m3", "e5m2"});
  if (!config.scale_constraint().empty()) {
    checks.OneOf("scale_constraint", config.scale_constraint(), {"none", "m1", "m2"});
  }
  const CodeBook* book = FindCodeBook(config.format().empty() ? "e2m1" : config.format());
  CodebookOptions options{.book = book == nullptr ? &E2m1Book() : book, .group_size = 64};
  options.scales = FormOf(config.scale_constraint());
  if (config.has_group_size()) options.group_size = config.group_size();
  checks.GroupSize("group_size", options.group_size);
  checks.InRange("lorc_rank", config.lorc_rank(), 0, kMostRank);
  const ActivationPlan inputs = ActivationPlan::FloatToken(E4m3Book(), -1, ScaleForm::kF32);
  return std::unique_ptr<const Method>(new ZeroQuantFpMethod(
      options, config.lorc_rank(), ReadActivations(stage, inputs, StageField(field), violations)));
}

std::vector<FieldViolation> ZeroQuantFpMethod::CheckLayers(const std::vector<LinearLayer>& layers,
                                                           const std::string& field) const {
  std::vector<FieldViolation> violations = LayerwiseMethod::CheckLayers(layers, field);
  for (const LinearLayer& layer : layers) {
    if (rank_ <= std::min(layer.outputs, layer.inputs)) continue;
    violations.push_back({field + ".lorc_rank", absl::StrCat("rank ", rank_, " is more than ", layer.name, " of ",
                                                             layer.outputs, " x ", layer.inputs, " has")});
    break;
  }
  return violations;
}

LayerCost ZeroQuantFpMethod::Cost(const LinearLayer& layer) const {
  LayerCost cost = LayerwiseMethod::Cost(layer);
  if (rank_ == 0) return cost;
  const double small = static_cast<double>(std::min(layer.outputs, layer.inputs));
  const int64_t side = std::min(layer.outputs, layer.inputs);
  cost.scratch_bytes += 8 * layer.outputs * layer.inputs + 28 * side * side;
  // The Gram matrix and the reduction of it to tridiagonal form, half of which runs at memory's pace.
  cost.serial_operations += small * static_cast<double>(layer.outputs * layer.inputs) + 8 * small * small * small;
  return cost;
}

PlannedEncoding ZeroQuantFpMethod::WeightEncoding(const LinearLayer& layer) const {
  PlannedEncoding encoding = CodebookEncoding(options_, layer);
  if (rank_ == 0) return encoding;
  encoding.encoding = std::string(SumTensor::kName);
  encoding.bytes += CodebookEncoding(FactorOptions(), {"", layer.outputs, rank_}).bytes +
                    CodebookEncoding(FactorOptions(), {"", rank_, layer.inputs}).bytes;
  return encoding;
}

absl::StatusOr<EncodedLayer> ZeroQuantFpMethod::EncodeWeight(const LayerWeight& weight) const {
  TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
  const ConstMatrixView w = values.view();
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded, RoundToCodebook(w, options_, weight.threads));
  if (rank_ == 0) return EncodedLayer{std::move(encoded), ""};
  const int64_t rows = w.rows, columns = w.columns;
  std::vector<float> errors = encoded->Decode();
  for (int64_t i = 0; i < rows * columns; ++i) errors[i] = w.at(i / columns, i % columns) - errors[i];
  TERSOR_ASSIGN_OR_RETURN(const LowRankFactors factors, FactorLowRank({errors.data(), rows, columns}, rank_));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr left,
                          RoundToCodebook({factors.left.data(), rows, rank_}, FactorOptions(), weight.threads));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr right,
                          RoundToCodebook({factors.right.data(), rank_, columns}, FactorOptions(), weight.threads));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr correction, LowRankTensor::Create(std::move(left), std::move(right)));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr sum, SumTensor::Create({std::move(encoded), std::move(correction)}));
  return EncodedLayer{std::move(sum), ""};
}

}  // namespace tersor
