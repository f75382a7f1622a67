#include "core/pipeline/text_evaluation.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/stopwatch.h"
#include "core/compare/report_side.h"
#include "core/evaluate/divergence.h"
#include "core/evaluate/gates.h"
#include "core/pipeline/cache_key.h"
#include "core/pipeline/stage_list.h"
#include "core/pipeline/text_extension.h"

namespace tersor {
namespace {

absl::StatusOr<BesideBaseline> ScoreAlone(const ScoringModel& model, const ScoredWindows& windows,
                                          const EvaluateContext& context) {
  BesideBaseline scores;
  const Stopwatch watch;
  TERSOR_RETURN_IF_ERROR(ScoreWindows(model, windows, context, [&](const ScoredGroup& group) {
    return AddBlockNlls(*model.head, group, scores.block_nlls);
  }));
  scores.seconds = watch.Seconds();
  return scores;
}

}  // namespace

absl::StatusOr<DenseBaseline> MeasureDense(const JobParts& parts, const Model& model, const Protocol& protocol,
                                           const ScoredWindows& windows, bool keep_hidden) {
  const ComputeOptions& compute = parts.job.compute;
  const BaselineKey key = {.protocol_hash = protocol.Hash(),
                           .model_sha256 = model.source.sha256,
                           .precision = PrecisionName(compute.precision),
                           .isa = InstructionSets(),
                           .program_version = std::string(ProgramVersion())};
  const std::filesystem::path cache = parts.options.context.cache_dir.empty()
                                          ? parts.workspace.checkpoint_dir()
                                          : parts.options.context.cache_dir / "baselines";
  const auto prepare = [&] { return PrepareScoring(model, compute); };
  return MeasureBaseline(prepare, model.spec.width, windows, key, cache, keep_hidden, parts.context("tokens"));
}

absl::Status EvaluateCompressed(const JobParts& parts, int index, const ScoredWindows& windows) {
  const JobInputs& inputs = parts.job.inputs;
  const Protocol& protocol = inputs.perplexities[static_cast<size_t>(index)].protocol;
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel scoring, PrepareScoring(parts.compressed, parts.job.compute));
  const bool divergence = index == 0 && MeasuresDivergence(parts.recipe);
  TERSOR_ASSIGN_OR_RETURN(const DenseBaseline baseline,
                          MeasureDense(parts, inputs.model, protocol, windows, divergence));
  BesideBaseline scores;
  if (divergence) {
    TERSOR_ASSIGN_OR_RETURN(const ScoringModel dense, PrepareScoring(inputs.model, parts.job.compute));
    TERSOR_ASSIGN_OR_RETURN(scores,
                            ScoreBesideBaseline(scoring, *dense.head, baseline, windows, parts.context("tokens")));
    *parts.report.mutable_divergence() =
        SummarizeDivergence(protocol, scores.tokens, windows.block_tokens(), GateConfidence(parts.recipe));
  } else {
    TERSOR_ASSIGN_OR_RETURN(scores, ScoreAlone(scoring, windows, parts.context("tokens")));
  }
  *parts.report.add_perplexity() =
      MakePerplexityResult(kCompressedSubject, protocol, windows, scores.block_nlls, scores.seconds);
  return KeepFirstLook(parts, index, windows, baseline.block_nlls, scores.block_nlls, scores.tokens);
}

}  // namespace tersor
