// Recipe -> plan -> run. What `tersor run` and tersor-worker call.
#ifndef TERSOR_CORE_PIPELINE_PIPELINE_H_
#define TERSOR_CORE_PIPELINE_PIPELINE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/event_sink.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/compress/method_description.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Where a plan or a run finds things and what it may use.
struct PipelineContext {
  std::vector<std::filesystem::path> data_paths;
  // Folders of task files (NAME.yaml) and their data, before the data folders' tasks/.
  std::vector<std::filesystem::path> task_paths;
  // Models must lie under one of these; empty allows any path.
  std::vector<std::filesystem::path> allowed_roots;
  // Dense baselines and content hashes, shared by jobs; created when missing.
  std::filesystem::path cache_dir;
  // Where the job's files will be written, for the plan's word on the room there; empty where it is not known.
  std::filesystem::path output_dir;
  int threads = 1;
  // 0 is the machine's.
  int64_t memory_bytes = 0;
};

struct PlanResult {
  v1::Plan plan;
  // Every fault of the recipe; the plan is meaningful only when there are none.
  std::vector<FieldViolation> violations;
};

// Reads headers and text, computes nothing heavy. A fault of the recipe is a violation; an error status is a fault of
// the machine (unreadable disk).
absl::StatusOr<PlanResult> MakePlan(const v1::Recipe& recipe, const PipelineContext& context);

// INVALID_ARGUMENT whose message lists all violations; for callers that have no field for them.
absl::Status ViolationsToStatus(const std::vector<FieldViolation>& violations);

struct RunOptions {
  std::string job_id;
  // Checkpoints and artifacts of this job: WORKSPACE/checkpoint, WORKSPACE/artifacts. A run that was broken off goes on
  // from the checkpoint when its fingerprint (recipe, model, texts, program) is the same; one that was finished answers
  // at once.
  std::filesystem::path workspace;
  PipelineContext context;
  // Do everything anew, whatever an earlier run left in the workspace.
  bool fresh = false;
  // The report's readers are on other machines: its load commands begin with `tersor download JOB`, else they name the
  // workspace.
  bool downloaded = false;
  const CancellationToken* cancellation = nullptr;
  // Reports that gates compare with, by the reference that the recipe names them by (Plan.baselines). A gate whose
  // report is not here is INCONCLUSIVE.
  std::map<std::string, v1::Report> baselines = {};
  // The job's, for its report.
  std::map<std::string, std::string> labels = {};
};

// Does it all and returns the report, which is also written to WORKSPACE/artifacts as report.json, report.md and
// report.html. Artifacts stand under their final names only when they were reopened and compared. One thread calls it;
// `events` is called from that thread.
absl::StatusOr<v1::Report> RunRecipe(const v1::Recipe& recipe, const RunOptions& options, EventSink& events);

// Every method a recipe can name.
std::vector<MethodDescription> ListMethods();

// "0.1.0"; part of every fingerprint.
absl::string_view ProgramVersion();

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_PIPELINE_H_
