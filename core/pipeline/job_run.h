// One run of a planned job: its stages in order, each remembered once it is done.
#ifndef TERSOR_CORE_PIPELINE_JOB_RUN_H_
#define TERSOR_CORE_PIPELINE_JOB_RUN_H_

#include <memory>
#include <optional>
#include <string>

#include "core/calibration/token_batches.h"
#include "core/evaluate/divergence.h"
#include "core/pipeline/job_parts.h"
#include "core/pipeline/plan.h"
#include "core/pipeline/progress_tracker.h"
#include "core/pipeline/workspace.h"

namespace tersor {

// Not thread-safe; used once.
class JobRun {
 public:
  // All must outlive the run.
  JobRun(const v1::Recipe& recipe, const RunOptions& options, PlannedJob& job, const Workspace& workspace,
         EventSink& events);

  absl::StatusOr<v1::Report> Run();

 private:
  // Runs `body` unless an earlier run finished the stage; its report and what it put into report_ are kept either way.
  absl::Status RunStage(const std::string& name, const StageBody& body);
  bool IsDone(const std::string& name) const;
  // Marks a stage as taken over from an earlier run.
  void Reuse(v1::StageReport& stage);
  absl::Status FinishStage(const v1::StageReport& stage);
  // Whether the report has an artifact of this name whose files are still there.
  bool FilesStand(absl::string_view artifact) const;
  // So that it is written again.
  void ForgetExport(const std::string& format);

  void DescribeJob();
  absl::Status CompressAndWrite();
  absl::Status Compress(Model& model);
  absl::Status Write(const Model& model);
  absl::Status LoadCompressed();
  absl::Status EvaluatePerplexities();
  absl::Status EvaluateDense(int index, const ScoredWindows& windows, v1::StageReport& stage);
  absl::StatusOr<DenseBaseline> Baseline(int index, const ScoredWindows& windows);
  absl::Status SplitLoss();
  absl::Status Export();
  absl::StatusOr<v1::ArtifactInfo> WriteNamedExport(const std::string& format);
  absl::StatusOr<CalibrationTokens> TakeCalibration() const;
  void JudgeAbilities();
  absl::Status Conclude();
  EvaluateContext MakeEvaluateContext(const char* unit);
  // Once the compressed model is there.
  JobParts Parts();

  const v1::Recipe& recipe_;
  const RunOptions& options_;
  PlannedJob& job_;
  const Workspace& workspace_;
  ProgressTracker tracker_;
  v1::Report report_;
  // As read from the container: what is evaluated is what the file holds.
  std::optional<Model> compressed_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_JOB_RUN_H_
