// JobRun's evaluations that explain a result rather than judge it.
#include <utility>

#include "core/calibration/token_batches.h"
#include "core/evaluate/perplexity.h"
#include "core/exports/export_registry.h"
#include "core/pipeline/job_run.h"
#include "core/pipeline/loss_split.h"
#include "core/pipeline/statistics_export.h"

namespace tersor {

// The plan lists a stage for each part that is measured.
absl::Status JobRun::SplitLoss() {
  for (const v1::PlannedStage& planned : job_.result.plan.stages()) {
    const std::string part = PartOfStage(planned.name());
    if (part.empty()) continue;
    TERSOR_RETURN_IF_ERROR(RunStage(planned.name(), [&](v1::StageReport&) -> absl::Status {
      const PerplexityInput& input = job_.inputs.perplexities[0];
      TERSOR_ASSIGN_OR_RETURN(const ScoredWindows windows,
                              CutWindows(input.protocol, *job_.inputs.tokenizer, input.data.text));
      TERSOR_ASSIGN_OR_RETURN(const Model model, OnlyPart(job_.inputs.model, *compressed_, part));
      TERSOR_ASSIGN_OR_RETURN(const ScoringModel scoring, PrepareScoring(model, job_.compute));
      TERSOR_ASSIGN_OR_RETURN(const v1::PerplexityResult result,
                              MeasurePerplexity(part, scoring, input.protocol, windows, MakeEvaluateContext("tokens")));
      AddLossShare(part, result.value(), report_);
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::StatusOr<CalibrationTokens> JobRun::TakeCalibration() const {
  const JobInputs& inputs = job_.inputs;
  if (inputs.calibration.text.empty()) return CalibrationTokens();
  return TakeCalibrationTokens(*inputs.tokenizer, inputs.calibration.text, inputs.calibration_samples,
                               inputs.calibration_tokens, inputs.calibration_seed);
}

absl::StatusOr<v1::ArtifactInfo> JobRun::WriteNamedExport(const std::string& format) {
  if (format != kStatisticsExport) {
    return WriteExport(format, *compressed_, report_, workspace_.artifacts_dir());
  }
  TERSOR_ASSIGN_OR_RETURN(const CalibrationTokens calibration, TakeCalibration());
  const EvaluateContext context = MakeEvaluateContext("blocks");
  TERSOR_ASSIGN_OR_RETURN(
      const std::vector<LayerStatistics> statistics,
      GatherLayerStatistics(job_.inputs.model, ExportedStatistics(), calibration, job_.compute, options_.cancellation,
                            [&](int done, int total) { context.progress(done, total); }));
  return WriteStatistics(statistics, job_.inputs.calibration.name, workspace_.artifacts_dir());
}

}  // namespace tersor
