#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/interrupt.h"
#include "client/cli/job_labels.h"
#include "client/cli/local_engine.h"
#include "client/cli/plan_text.h"
#include "client/cli/progress_display.h"
#include "client/cli/recipe_input.h"
#include "client/cli/report_output.h"
#include "client/cli/report_source.h"

namespace tersor::client {
namespace {

constexpr char kFooter[] =
    R"(Prints the plan, does the work with a progress bar, prints the report. Ctrl-C stops it in order (a second one at once);
the same command goes on where it was. Files are in WORKSPACE/artifacts, with report.json, report.md and report.html.

Examples:
  tersor run --preset balanced model.gguf     no recipe needed for a first try
  tersor run recipe.yaml --dry-run            what it would do and cost
  tersor run recipe.yaml --threads 8 --junit gates.xml)";

// A folder name that any file system takes.
std::string FolderName(const std::string& name) {
  std::string folder;
  for (char c : name) folder += absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' ? c : '-';
  return folder.empty() || folder[0] == '.' ? "model" + folder : folder;
}

class RunCommand final : public Command {
 public:
  explicit RunCommand(Engine* engine) : engine_(engine) {}
  Arguments Define(const Arguments& parent, CommonOptions& common) override;
  int Run(const CommonOptions& common, Console& console) override;

 private:
  int PlanAndWork(const CommonOptions& common, Console& console);
  std::filesystem::path Workspace(const v1::Plan& plan) const;
  int Work(const v1::Recipe& recipe, const PipelineContext& context, const std::filesystem::path& workspace,
           Console& console);
  int Stopped(const absl::Status& status, const InterruptScope& interrupt, const std::filesystem::path& workspace,
              Console& console) const;

  Engine* engine_;
  RecipeFlags recipe_;
  bool dry_run_ = false;
  std::string workspace_;
  std::string junit_;
  std::map<std::string, v1::Report> baselines_;
  // Warnings that stood under the plan.
  google::protobuf::RepeatedPtrField<v1::Warning> told_;
  int threads_ = 0;
  std::vector<std::string> labels_;
  std::map<std::string, std::string> parsed_labels_;
};

Arguments RunCommand::Define(const Arguments& parent, CommonOptions& common) {
  Arguments app = parent.Subcommand("run", "Do a recipe here, without a server");
  AddRecipeFlags(app, recipe_, true);
  app.Flag("--dry-run", dry_run_, "Print the plan and stop");
  app.Option("--workspace", workspace_, "Checkpoints and results; default tersor-out/MODEL-FINGERPRINT", "DIR");
  app.Option("--threads", threads_, "Cores to use; default: all. Results do not depend on it", 1, 4096);
  app.Option("--junit", junit_, "Write the gates as JUnit XML", "FILE");
  app.Option("--label", labels_, "Names the run in its report and in comparisons; may be given several times",
             "KEY=VALUE");
  AddServerOption(app, common);
  AddOutputOptions(app, common);
  app.Footer(kFooter);
  return app;
}

std::filesystem::path RunCommand::Workspace(const v1::Plan& plan) const {
  if (!workspace_.empty()) return workspace_;
  return std::filesystem::path("tersor-out") /
         absl::StrCat(FolderName(plan.model().name()), "-", plan.fingerprint().substr(0, 8));
}

int RunCommand::Stopped(const absl::Status& status, const InterruptScope& interrupt,
                        const std::filesystem::path& workspace, Console& console) const {
  if (interrupt.interrupted()) {
    console.Note(absl::StrCat("interrupted; the same command goes on where it was (", workspace.string(), ")"));
    return interrupt.exit_code();
  }
  console.Fail(status);
  absl::Status junit = WriteFailureJunit("run", std::string(status.message()), junit_);
  if (!junit.ok()) console.Fail(junit);
  // The plan was good: what failed now is the job, not its description.
  return kExitJobFailed;
}

int RunCommand::Work(const v1::Recipe& recipe, const PipelineContext& context, const std::filesystem::path& workspace,
                     Console& console) {
  InterruptScope interrupt;
  RunOptions options;
  options.workspace = workspace;
  options.context = context;
  options.cancellation = interrupt.token();
  options.baselines = std::move(baselines_);
  options.labels = parsed_labels_;
  absl::StatusOr<v1::Report> report = absl::UnknownError("not run");
  {
    ProgressDisplay display(console);
    display.SkipWarnings(told_);
    report = RunRecipe(recipe, options, display);
  }
  if (!report.ok()) return Stopped(report.status(), interrupt, workspace, console);
  PrintReport(*report, console);
  if (absl::Status junit = WriteJunit(*report, recipe.gating(), junit_); !junit.ok()) return console.Fail(junit);
  console.Note(absl::StrCat("report: ", (workspace / "artifacts/report.html").string()));
  for (const v1::ArtifactInfo& artifact : report->artifacts()) {
    console.Note(absl::StrCat("files:  ", (workspace / "artifacts" / artifact.path()).string()));
  }
  return ExitCodeOf(report->verdict(), recipe.gating());
}

int RunCommand::Run(const CommonOptions& common, Console& console) {
  int code = PlanAndWork(common, console);
  if (absl::Status junit = WriteErrorJunit(code, console, junit_); !junit.ok()) console.Fail(junit);
  return code;
}

int RunCommand::PlanAndWork(const CommonOptions& common, Console& console) {
  absl::StatusOr<std::map<std::string, std::string>> labels = ParseLabels(labels_);
  if (!labels.ok()) return console.Fail(labels.status());
  parsed_labels_ = *std::move(labels);
  absl::StatusOr<RecipeInput> input = ReadRecipeInput(recipe_, engine_);
  if (!input.ok()) return console.Fail(input.status());
  CompleteFaults(engine_, recipe_.DataPaths(), *input);
  if (!ReportFaults(*input, console)) return kExitUsage;
  PipelineContext context = LocalContext(recipe_.DataPaths(), threads_);
  if (const absl::Status cache = CheckUserCache(); !cache.ok()) {
    context.cache_dir.clear();
    console.Note(absl::StrCat("warning: goes on without a cache: ", cache.message()));
  }
  context.output_dir = workspace_.empty() ? std::filesystem::path(".") : std::filesystem::path(workspace_);
  absl::StatusOr<PlanResult> plan = MakePlan(input->loaded.recipe, context);
  if (!plan.ok()) return console.Fail(plan.status());
  AddFaults(plan->violations, *input);
  if (!ReportFaults(*input, console)) return kExitUsage;
  if (dry_run_ && console.json) {
    console.Json(plan->plan);
    return kExitPassed;
  }
  std::string text = PlanText(plan->plan, console.width);
  const bool shown = !console.quiet || dry_run_;
  if (shown) (console.json ? console.Err() : console.Out()) << text << std::endl;
  if (dry_run_) return kExitPassed;
  absl::StatusOr<std::map<std::string, v1::Report>> baselines = LoadBaselines(plan->plan, input->folder, common);
  if (!baselines.ok()) return console.Fail(baselines.status());
  baselines_ = *std::move(baselines);
  if (shown) told_ = plan->plan.warnings();
  return Work(input->loaded.recipe, context, Workspace(plan->plan), console);
}

}  // namespace

std::unique_ptr<Command> NewRunCommand(Engine* engine) { return std::make_unique<RunCommand>(engine); }

}  // namespace tersor::client
