// What the parts of a job that have files of their own work with.
#ifndef TERSOR_CORE_PIPELINE_JOB_PARTS_H_
#define TERSOR_CORE_PIPELINE_JOB_PARTS_H_

#include <filesystem>
#include <functional>
#include <string>

#include "core/base/status.h"
#include "core/evaluate/evaluate_context.h"
#include "core/pipeline/content_hash.h"
#include "core/pipeline/plan.h"
#include "core/pipeline/workspace.h"

namespace tersor {

using StageBody = std::function<absl::Status(v1::StageReport&)>;

// Valid during the run.
struct JobParts {
  const v1::Recipe& recipe;
  const RunOptions& options;
  const PlannedJob& job;
  const Workspace& workspace;
  // As read from the container; the dense model is job.inputs.model.
  const Model& compressed;
  v1::Report& report;
  // Runs the body unless an earlier run finished the stage of this name; what it put into the report is kept.
  std::function<absl::Status(const std::string& name, const StageBody& body)> run_stage;
  // Progress in units of what its name says: "tokens", "items".
  std::function<EvaluateContext(const char* unit)> context;
  std::function<void(const v1::Event& event)> emit;

  // Where answers are kept for other jobs, or for this one alone.
  std::filesystem::path cache() const {
    return options.context.cache_dir.empty() ? workspace.checkpoint_dir() : options.context.cache_dir;
  }
  // Hash of what the container computes; it is the first artifact.
  absl::StatusOr<std::string> compressed_content() const {
    return ContainerContentHash(workspace.artifacts_dir() / report.artifacts(0).path());
  }
  void Tell(const std::string& message) const {
    v1::Event event;
    event.mutable_message()->set_text(message);
    emit(event);
  }
};

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_JOB_PARTS_H_
