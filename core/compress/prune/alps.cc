#include "core/compress/prune/alps.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compress/prune/mask_selection.h"
#include "core/compress/prune/sparse_fit.h"
#include "core/compress/quantize/layer_rounding.h"
#include "core/compress/quantize/option_checks.h"
#include "core/linalg/eigen.h"

namespace tersor {

MethodDescription AlpsMethod::Describe() {
  return {.name = std::string(kName),
          .family = "prune",
          .summary = "Chooses the weights that stay and their values together, by ADMM on the inputs' second moment",
          .reference = "arXiv 2406.07831",
          .options = {{"damping", "number", "0.01", "Share of the mean diagonal added to the second moment's diagonal"},
                      {"steps", "integer", "300", "Steps at most; fewer where the choice settles"},
                      {"dense_correction", "number", "0",
                       "Share, 0 to 1, of what changed inputs do to a layer's outputs that its weights make up for"}}};
}

std::unique_ptr<const Method> AlpsMethod::Make(const v1::PruneStage& stage, const std::string& field,
                                               std::vector<FieldViolation>& violations) {
  const v1::AlpsConfig& config = stage.alps();
  const std::string own_field = field + ".alps";
  const PruneOptions shared = ReadPruneOptions(stage, field, violations);
  const OptionChecks checks{own_field, violations};
  Options options;
  if (config.has_damping()) options.damping = config.damping();
  if (config.has_steps()) options.steps = config.steps();
  options.dense_correction = config.dense_correction();
  checks.InRange("damping", options.damping, 0, 1);
  checks.InRange("steps", options.steps, 1, 10000);
  checks.InRange("dense_correction", options.dense_correction, 0, 1);
  return std::unique_ptr<const Method>(new AlpsMethod(shared, options));
}

std::set<Statistic> AlpsMethod::statistics() const {
  std::set<Statistic> wanted = {Statistic::kSecondMoment};
  if (own_.dense_correction > 0) wanted.insert(Statistic::kDenseMoment);
  return wanted;
}

std::vector<FieldViolation> AlpsMethod::CheckLayers(const std::vector<LinearLayer>& layers,
                                                    const std::string& field) const {
  std::vector<FieldViolation> violations = PruningMethod::CheckLayers(layers, field);
  for (const LinearLayer& layer : layers) {
    if (layer.inputs <= kLargestEigenRows) continue;
    violations.push_back({field, absl::StrCat(layer.name, " has ", layer.inputs, " inputs, and alps takes at most ",
                                              kLargestEigenRows, "; skip such layers, or take sparsegpt or wanda")});
    break;
  }
  return violations;
}

LayerCost AlpsMethod::Cost(const LinearLayer& layer) const {
  const int64_t square = layer.inputs * layer.inputs, weights = layer.outputs * layer.inputs;
  // Moment, eigenvectors and an inverse with its factor as floats, LAPACK's matrices in double; of all weights the
  // dense ones, targets, three iterates, scores with their indices, marks and two answers.
  return {.scratch_bytes = 48 * square + 60 * weights,
          .operations = SparseFitOperations(layer.outputs, layer.inputs, own_.steps),
          .serial_operations = EigenOperations(layer.inputs) + 60.0 * own_.steps * static_cast<double>(weights)};
}

absl::StatusOr<SegmentOutcome> AlpsMethod::Apply(const SegmentTask& task) const {
  TERSOR_RETURN_IF_ERROR(CheckCancelled(task.cancellation));
  absl::StatusOr<MomentSpectrum> spectrum = MomentSpectrum::Create(task.statistics->second_moment(), own_.damping);
  if (!spectrum.ok()) return Annotate(spectrum.status(), task.layers.front().layer.name);
  return EncodeLayers(
      task,
      [&](LayerWeight weight) -> absl::StatusOr<EncodedLayer> {
        // No grid has to span them.
        weight.column_magnitudes = nullptr;
        TERSOR_ASSIGN_OR_RETURN(const WeightValues values, weight.Decode());
        const std::vector<uint8_t> given = KeptMarks(*weight.stored);
        const PruneOptions own = options().Of(weight.layer->name, task.decision);
        const SparseFit fit = {
            .steps = own_.steps,
            .choose = [&](ConstMatrixView scores,
                          std::vector<uint8_t>& kept) { kept = KeepByLayer(scores, own, weight.threads); },
            .given = given,
            .dense_moment = own_.dense_correction > 0 ? task.statistics->dense_moment() : ConstMatrixView(),
            .dense_correction = own_.dense_correction,
            .threads = weight.threads,
            .cancellation = weight.cancellation};
        TERSOR_ASSIGN_OR_RETURN(FittedMatrix fitted, FitSparse(*spectrum, values.view(), fit));
        TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded,
                                EncodeMasked(*weight.stored, std::move(fitted.kept), fitted.values, options().pattern));
        return EncodedLayer{std::move(encoded), "", own_.damping};
      },
      nullptr);
}

}  // namespace tersor
