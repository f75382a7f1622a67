#include "core/compress/prune/sparsegpt.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/compress/keep_mask.h"
#include "core/compress/prune/mask_selection.h"
#include "core/compress/quantize/dense_correction.h"
#include "core/compress/quantize/layer_rounding.h"
#include "core/compress/quantize/masked_rounding.h"
#include "core/compress/quantize/option_checks.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/masked_int_tensor.h"

namespace tersor {
namespace {

std::string LayerNames(const SegmentTask& task) {
  return absl::StrJoin(task.layers, ", ",
                       [](std::string* out, const TargetLayer& target) { out->append(target.layer.name); });
}

// The codes of a matrix whose left-out weights are zero.
absl::StatusOr<EncodedTensorPtr> EncodeCodes(const MaskedMatrix& masked, int64_t rows, int64_t columns,
                                             MaskPattern pattern) {
  absl::StatusOr<SparseMask> mask = SparseMask::Create(rows, columns, masked.kept, pattern);
  // What was left out before may break the pattern.
  if (!mask.ok()) mask = SparseMask::Create(rows, columns, masked.kept);
  if (!mask.ok()) return mask.status();
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr codes, masked.codes->Encode());
  return MaskedIntTensor::Create(*std::move(mask), dynamic_cast<const GroupIntTensor&>(*codes));
}

}  // namespace

MethodDescription SparseGptMethod::Describe() {
  return {.name = std::string(kName),
          .family = "prune",
          .summary =
              "Column by column, what is left out made up for by the columns after it; rounds in the same pass on "
              "request",
          .reference = "arXiv 2301.00774",
          .options = {
              {"damping", "number", "0.01", "Share of the mean diagonal added to the second moment's diagonal"},
              {"on_factorization_failure", "fail | more_damping", "more_damping",
               "What to do where a second moment cannot be factored"},
              {"block_size", "integer", "128", "Columns whose weights are chosen together"},
              {"activation_order", "boolean", "true", "The columns with the largest inputs first"},
              {"bits", "integer", "0", "Rounds the kept weights in the same pass: 2 to 8; 0: they stay floats"},
              {"group_size", "integer", "64", "Of `bits`: weights of a row that share a scale; -1: one scale a row"},
              {"symmetric", "boolean", "true", "Of `bits`: no zero points"},
              {"dense_correction", "number", "0",
               "Share, 0 to 1, of what changed inputs do to a layer's outputs that its weights make up for"}}};
}

std::unique_ptr<const Method> SparseGptMethod::Make(const v1::PruneStage& stage, const std::string& field,
                                                    std::vector<FieldViolation>& violations) {
  const v1::SparseGptConfig& config = stage.sparsegpt();
  const std::string own_field = field + ".sparsegpt";
  const PruneOptions shared = ReadPruneOptions(stage, field, violations);
  const OptionChecks checks{own_field, violations};
  Options options;
  options.feedback = ReadFeedbackPolicy(config, own_field, violations);
  if (options.feedback.on_failure == v1::FACTORIZATION_FAILURE_POLICY_RTN) {
    checks.Fault("on_factorization_failure", "must be fail or more_damping: what is left out is not rounded");
  }
  if (config.has_block_size()) options.block_columns = config.block_size();
  if (options.block_columns < 1) checks.Fault("block_size", "must be at least 1");
  options.dense_correction = config.dense_correction();
  checks.InRange("dense_correction", options.dense_correction, 0, 1);
  if (config.has_activation_order()) options.activation_order = config.activation_order();
  if (config.bits() != 0) {
    options.grid.emplace(GridOptions{.bits = config.bits(), .search = v1::SCALE_SEARCH_HESSIAN});
    if (config.has_group_size()) options.grid->group_size = config.group_size();
    if (config.has_symmetric()) options.grid->symmetric = config.symmetric();
    checks.Bits("bits", config.bits());
    checks.GroupSize("group_size", options.grid->group_size);
    const int64_t group = options.grid->group_size;
    if (shared.pattern.fixed() && group > 0 && group % shared.pattern.of != 0) {
      checks.Fault("group_size", absl::StrCat("must be a multiple of the pattern's ", shared.pattern.of));
    }
  } else if (config.has_group_size() || config.has_symmetric()) {
    checks.Fault(config.has_group_size() ? "group_size" : "symmetric", "means something with `bits` alone");
  }
  return std::unique_ptr<const Method>(new SparseGptMethod(shared, options));
}

std::set<Statistic> SparseGptMethod::statistics() const {
  std::set<Statistic> wanted = {Statistic::kSecondMoment};
  if (own_.dense_correction > 0) wanted.insert(Statistic::kDenseMoment);
  return wanted;
}

std::string SparseGptMethod::WhyLast() const {
  return own_.grid.has_value() ? "the weights that sparsegpt keeps are codes with `bits`" : "";
}

std::vector<FieldViolation> SparseGptMethod::CheckLayers(const std::vector<LinearLayer>& layers,
                                                         const std::string& field) const {
  std::vector<FieldViolation> violations = PruningMethod::CheckLayers(layers, field);
  if (!own_.grid.has_value()) return violations;
  std::vector<FieldViolation> groups = CheckGroupSize(*own_.grid, layers, field);
  std::move(groups.begin(), groups.end(), std::back_inserter(violations));
  return violations;
}

int64_t SparseGptMethod::BlockColumns(int64_t columns) const {
  int64_t step = options().pattern.fixed() ? options().pattern.of : 1;
  if (own_.grid.has_value()) step = own_.grid->GroupColumns(columns);
  return std::min(columns, (own_.block_columns + step - 1) / step * step);
}

int64_t SparseGptMethod::Kept(const LinearLayer& layer, const PruneOptions& options) const {
  const int64_t block = BlockColumns(layer.inputs);
  int64_t kept = 0;
  for (int64_t first = 0; first < layer.inputs; first += block) {
    const int64_t weights = layer.outputs * std::min(block, layer.inputs - first);
    kept += weights - options.LeftOut(weights);
  }
  return kept;
}

PlannedEncoding SparseGptMethod::EncodingAfter(const LinearLayer& layer, const PlannedEncoding& before) const {
  const PlannedEncoding floats = PruningMethod::EncodingAfter(layer, before);
  return own_.grid.has_value() ? PlanKeptMask(layer, floats, GroupIntEncoding(*own_.grid, layer)) : floats;
}

LayerCost SparseGptMethod::Cost(const LinearLayer& layer) const {
  const double n = static_cast<double>(layer.inputs), weights = n * static_cast<double>(layer.outputs);
  const int64_t block = BlockColumns(layer.inputs);
  // The factor in double, the feedback and the quadratic form; of all weights floats, panels of weights and errors,
  // results and marks; of a block targets, scores, indices and marks.
  return {.scratch_bytes =
              16 * layer.inputs * layer.inputs + 26 * layer.inputs * layer.outputs + 24 * block * layer.outputs,
          .operations = weights * (4 * n + 400),
          .serial_operations = FactorOperations(layer.inputs) + 100 * weights};
}

std::vector<int64_t> SparseGptMethod::Order(ConstMatrixView moment) const {
  const ColumnOrder order = own_.activation_order ? ColumnOrder::kFallingGroups : ColumnOrder::kNatural;
  const int64_t run = options().pattern.fixed() ? options().pattern.of : 1;
  const std::vector<int64_t> runs = OrderColumns(moment, order, run);
  if (!own_.grid.has_value()) return runs;
  // Groups of the grid stay together, and runs within them.
  const int64_t group = own_.grid->GroupColumns(moment.columns);
  const std::vector<int64_t> groups = OrderColumns(moment, order, group);
  std::vector<int64_t> columns;
  for (int64_t first = 0; first < moment.columns; first += group) {
    std::copy_if(runs.begin(), runs.end(), std::back_inserter(columns),
                 [&](int64_t column) { return column / group == groups[first] / group; });
  }
  return columns;
}

absl::StatusOr<SegmentOutcome> SparseGptMethod::Apply(const SegmentTask& task) const {
  const ConstMatrixView moment = task.statistics->second_moment();
  const MaskPattern pattern = options().pattern;
  TERSOR_ASSIGN_OR_RETURN(PreparedFeedback prepared,
                          PrepareFeedback(moment, Order(moment), own_.feedback, /*keep_moment=*/false, LayerNames(task),
                                          task.cancellation));
  const DenseCorrection correction(*task.statistics, prepared.system->order, own_.dense_correction);
  TERSOR_ASSIGN_OR_RETURN(
      SegmentOutcome outcome,
      EncodeLayers(
          task,
          [&](LayerWeight weight) -> absl::StatusOr<EncodedLayer> {
            if (!own_.grid.has_value()) weight.column_magnitudes = nullptr;
            TERSOR_ASSIGN_OR_RETURN(WeightValues values, weight.Decode());
            correction.Apply(*prepared.system, weight.threads, values);
            if (own_.grid.has_value()) TERSOR_RETURN_IF_ERROR(CheckWeights(values.view(), *own_.grid));
            const std::vector<uint8_t> given = KeptMarks(*weight.stored);
            const PruneOptions own = options().Of(weight.layer->name, task.decision);
            const MaskedRounding rounding = {.block_columns = BlockColumns(moment.columns),
                                             .choose =
                                                 [&](std::span<const float> scores, uint8_t* kept) {
                                                   KeepLargest(scores, own.LeftOut(static_cast<int64_t>(scores.size())),
                                                               kept);
                                                 },
                                             .run = pattern.fixed() ? pattern.of : 0,
                                             .given = given,
                                             .grid = own_.grid,
                                             .threads = weight.threads,
                                             .cancellation = weight.cancellation};
            TERSOR_ASSIGN_OR_RETURN(MaskedMatrix masked, RoundMasked(*prepared.system, values.view(), rounding));
            EncodedLayer encoded;
            if (own_.grid.has_value()) {
              TERSOR_ASSIGN_OR_RETURN(encoded.weight, EncodeCodes(masked, values.view().rows, moment.columns, pattern));
            } else {
              TERSOR_ASSIGN_OR_RETURN(encoded.weight,
                                      EncodeMasked(*weight.stored, std::move(masked.kept), masked.values, pattern));
            }
            encoded.note = prepared.note;
            encoded.damping = prepared.damping;
            return encoded;
          },
          nullptr));
  std::move(prepared.warnings.begin(), prepared.warnings.end(), std::back_inserter(outcome.warnings));
  return outcome;
}

}  // namespace tersor
