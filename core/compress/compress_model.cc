#include "core/compress/compress_model.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/peak_memory.h"
#include "core/base/stopwatch.h"
#include "core/compress/block_walk.h"
#include "core/compress/resolved_stages.h"
#include "core/compress/walk_progress.h"

namespace tersor {
namespace {

absl::Status ListViolations(const std::vector<FieldViolation>& violations) {
  if (violations.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrJoin(violations, "; ", [](std::string* out, const FieldViolation& violation) {
        absl::StrAppend(out, violation.field, ": ", violation.description);
      }));
}

template <typename Source, typename Target>
void MoveTo(Source& source, Target& target) {
  std::move(source.begin(), source.end(), std::back_inserter(target));
}

// Heads first: what the blocks see is what the compressed embedding gives them.
absl::StatusOr<CompressionResult> CompressHeads(Model& model, const std::vector<ResolvedStage>& stages, int threads,
                                                const CancellationToken* cancellation, EventSink& events) {
  CompressionResult heads;
  for (const ResolvedStage& stage : stages) {
    if (!stage.head.has_value()) continue;
    TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome, CompressHead(model, *stage.head, threads, cancellation));
    EmitOutcome(outcome.warnings, outcome.layers, events);
    MoveTo(outcome.layers, heads.layers);
    MoveTo(outcome.warnings, heads.warnings);
  }
  return heads;
}

// One report for each stage, which share the walk's seconds.
std::vector<v1::StageReport> ReportStages(const std::vector<ResolvedStage>& stages, double seconds, EventSink& events) {
  const std::vector<double> shares = StageShares(stages);
  std::vector<v1::StageReport> reports;
  for (size_t i = 0; i < stages.size(); ++i) {
    v1::StageReport& report = reports.emplace_back();
    report.set_name(stages[i].name);
    report.set_seconds(seconds * shares[i]);
    report.set_peak_rss_bytes(PeakResidentBytes());
    v1::Event event;
    *event.mutable_stage_finished() = report;
    events.Emit(event);
  }
  return reports;
}

}  // namespace

absl::StatusOr<CompressionResult> CompressModel(Model& model, const v1::Recipe& recipe,
                                                const CalibrationTokens& calibration, const ComputeOptions& options,
                                                BlockCheckpoint* checkpoint, EventSink& events,
                                                const CancellationToken* cancellation, StatisticsStore* statistics) {
  std::vector<FieldViolation> violations;
  const std::vector<ResolvedStage> stages = ResolveStages(model, recipe, violations);
  TERSOR_RETURN_IF_ERROR(ListViolations(violations));
  CompressionResult result;
  if (stages.empty()) return result;
  // Hashing and earlier stages have read all weights; they are mapped and need not stay, nor does what those stages
  // freed.
  for (const auto& [name, parameter] : model.parameters) parameter->ReleasePages();
  ReturnFreeMemory();
  ResetPeakResidentBytes();
  const Model dense = model;
  const Stopwatch watch;
  TERSOR_ASSIGN_OR_RETURN(CompressionResult heads, CompressHeads(model, stages, options.threads, cancellation, events));
  WalkStages walk_stages;
  for (const ResolvedStage& stage : stages) {
    WalkStage& own = walk_stages.emplace_back(WalkStage{stage.name, stage.method.get(), {}});
    for (const LinearLayer& layer : stage.layers) own.layers.insert(layer.name);
  }
  const BlockWalkOptions walk{ForCalibration(options), checkpoint, cancellation, statistics, stages.front().name};
  TERSOR_ASSIGN_OR_RETURN(std::vector<BlockRecord> records,
                          WalkBlocks(model, dense, walk_stages, calibration, walk, events));
  for (BlockRecord& record : records) {
    MoveTo(record.layers, result.layers);
    MoveTo(record.warnings, result.warnings);
  }
  MoveTo(heads.layers, result.layers);
  MoveTo(heads.warnings, result.warnings);
  result.stages = ReportStages(stages, watch.Seconds(), events);
  return result;
}

}  // namespace tersor
