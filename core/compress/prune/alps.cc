#include "core/compress/prune/alps.h"

#include <utility>

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
                      {"steps", "integer", "300", "Steps at most; fewer where the choice settles"}}};
}

std::unique_ptr<const Method> AlpsMethod::Make(const v1::PruneStage& stage, const std::string& field,
                                               std::vector<FieldViolation>& violations) {
  const v1::AlpsConfig& config = stage.alps();
  const std::string own_field = field + ".alps";
  const PruneOptions shared = ReadPruneOptions(stage, field, violations);
  const OptionChecks checks{own_field, violations};
  const double damping = config.has_damping() ? config.damping() : 0.01;
  const int steps = config.has_steps() ? config.steps() : 300;
  checks.InRange("damping", damping, 0, 1);
  checks.InRange("steps", steps, 1, 10000);
  return std::unique_ptr<const Method>(new AlpsMethod(shared, damping, steps));
}

LayerCost AlpsMethod::Cost(const LinearLayer& layer) const {
  const int64_t square = layer.inputs * layer.inputs, weights = layer.outputs * layer.inputs;
  // Moment, eigenvectors and an inverse with its factor as floats, LAPACK's matrices in double; of all weights the
  // dense ones, targets, three iterates, scores with their indices, marks and two answers.
  return {.scratch_bytes = 48 * square + 60 * weights,
          .operations = SparseFitOperations(layer.outputs, layer.inputs, steps_),
          .serial_operations = EigenOperations(layer.inputs) + 60.0 * steps_ * static_cast<double>(weights)};
}

absl::StatusOr<SegmentOutcome> AlpsMethod::Apply(const SegmentTask& task) const {
  TERSOR_RETURN_IF_ERROR(CheckCancelled(task.cancellation));
  absl::StatusOr<MomentSpectrum> spectrum = MomentSpectrum::Create(task.statistics->second_moment(), damping_);
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
            .steps = steps_,
            .choose = [&](ConstMatrixView scores,
                          std::vector<uint8_t>& kept) { kept = KeepByLayer(scores, own, weight.threads); },
            .given = given,
            .threads = weight.threads,
            .cancellation = weight.cancellation};
        TERSOR_ASSIGN_OR_RETURN(FittedMatrix fitted, FitSparse(*spectrum, values.view(), fit));
        TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr encoded,
                                EncodeMasked(*weight.stored, std::move(fitted.kept), fitted.values, options().pattern));
        return EncodedLayer{std::move(encoded), "", damping_};
      },
      nullptr);
}

}  // namespace tersor
