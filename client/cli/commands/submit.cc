#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/commands/commands.h"
#include "client/cli/duration_flag.h"
#include "client/cli/job_labels.h"
#include "client/cli/job_text.h"
#include "client/cli/progress_text.h"
#include "client/cli/recipe_input.h"
#include "client/cli/remote.h"
#include "client/cli/report_output.h"
#include "client/cpp/report_client.h"

namespace tersor::client {
namespace {

constexpr char kFooter[] = R"(Examples:
  tersor submit recipe.yaml                         queue it and print the job's id
  tersor submit recipe.yaml --wait --junit out.xml  in CI: exit code 0 passed, 1 a gate failed, 3 failed
  tersor submit --preset balanced smollm2           no recipe needed for a first try
  tersor submit recipe.yaml --wait --timeout 30m --cancel-on-interrupt)";

class SubmitCommand final : public Command {
 public:
  explicit SubmitCommand(Engine* engine) : engine_(engine) {}
  Arguments Define(const Arguments& parent, CommonOptions& common) override;
  int Run(const CommonOptions& common, Console& console) override;

 private:
  int Submit(const CommonOptions& common, absl::Time deadline, Console& console);
  absl::StatusOr<v1::SubmitJobRequest> MakeRequest(const v1::Recipe& recipe) const;
  int Wait(const Connection& connection, const JobClient& jobs, const std::string& id, absl::Time deadline,
           Console& console);
  int StopWaiting(const absl::Status& status, const JobClient& jobs, const std::string& id,
                  const InterruptScope& interrupt, Console& console);
  int ShowEnd(const Connection& connection, const v1::Job& job, Console& console);

  Engine* engine_;
  RecipeFlags recipe_;
  bool wait_ = false;
  std::string timeout_;
  bool cancel_on_interrupt_ = false;
  std::string junit_;
  std::vector<std::string> labels_;
  std::string request_id_;
  std::string parent_;
  std::string memory_;
  int priority_ = 0;
  int threads_ = 0;
  bool no_cache_ = false;
};

Arguments SubmitCommand::Define(const Arguments& parent, CommonOptions& common) {
  Arguments app = parent.Subcommand("submit", "Queue a recipe on the server, and wait for it with --wait");
  AddRecipeFlags(app, recipe_, false);
  app.Flag("--wait", wait_, "Show progress until the job has ended, then its report");
  app.Option("--timeout", timeout_, "With --wait: give up waiting after this time (exit code 7); the job goes on",
             "TIME");
  app.Flag("--cancel-on-interrupt", cancel_on_interrupt_, "With --wait: Ctrl-C or SIGTERM cancels the job too");
  app.Option("--junit", junit_, "With --wait: write the gates as JUnit XML", "FILE");
  app.Option("--label", labels_, "Label of the job; may be given several times", "KEY=VALUE");
  app.Option("--priority", priority_, "Higher goes first; default 0", -1000000, 1000000);
  app.Flag("--no-cache", no_cache_, "Do the work even where an equal job has answered already");
  app.Option("--request-id", request_id_, "Idempotency key: the same key gives the same job", "KEY");
  app.Option("--parent", parent_, "The job that this one is a part of", "ID");
  app.Option("--threads", threads_, "Cores for the job; default: the server's", 1, 4096);
  app.Option("--memory", memory_, "Memory limit of the job, for example 4GiB", "BYTES");
  AddServerOption(app, common);
  AddOutputOptions(app, common);
  app.Footer(kFooter);
  return app;
}

absl::StatusOr<v1::SubmitJobRequest> SubmitCommand::MakeRequest(const v1::Recipe& recipe) const {
  v1::SubmitJobRequest request;
  *request.mutable_recipe() = recipe;
  MakePathsAbsolute(*request.mutable_recipe());
  TERSOR_ASSIGN_OR_RETURN(const auto labels, ParseLabels(labels_));
  request.mutable_labels()->insert(labels.begin(), labels.end());
  request.set_request_id(request_id_);
  request.set_parent(parent_);
  request.set_priority(priority_);
  request.set_no_cache(no_cache_);
  request.mutable_resources()->set_threads(threads_);
  if (!memory_.empty()) {
    TERSOR_ASSIGN_OR_RETURN(int64_t bytes, ParseBytes(memory_, "--memory"));
    request.mutable_resources()->set_memory_bytes(bytes);
  }
  return request;
}

int SubmitCommand::ShowEnd(const Connection& connection, const v1::Job& job, Console& console) {
  console.Note(JobEnd(job));
  if (job.state() != v1::JOB_STATE_SUCCEEDED) {
    if (console.json) console.Json(job);
    absl::Status junit = WriteFailureJunit(job.id(), JobEnd(job), junit_);
    if (!junit.ok()) console.Fail(junit);
    if (console.quiet) console.Fail(ExitCodeOf(job), JobEnd(job));
    if (job.state() == v1::JOB_STATE_FAILED)
      console.Note(absl::StrCat("what its worker wrote: tersor logs ", job.id()));
    return ExitCodeOf(job);
  }
  absl::StatusOr<v1::Report> report = GetReport(connection, job.id());
  if (!report.ok()) return console.Fail(report.status());
  PrintReport(*report, console);
  if (absl::Status junit = WriteJunit(*report, job.recipe().gating(), junit_); !junit.ok()) return console.Fail(junit);
  console.Note(absl::StrCat("report: tersor report ", job.id(), "   files: tersor download ", job.id()));
  return ExitCodeOf(report->verdict(), job.recipe().gating());
}

int SubmitCommand::StopWaiting(const absl::Status& status, const JobClient& jobs, const std::string& id,
                               const InterruptScope& interrupt, Console& console) {
  if (interrupt.interrupted() && cancel_on_interrupt_) {
    absl::StatusOr<v1::Job> cancelled = jobs.Cancel(id);
    console.Note(cancelled.ok() ? absl::StrCat("job ", id, " is ", CancelWord(*cancelled))
                                : absl::StrCat("job ", id, " could not be cancelled: ", cancelled.status().message()));
    return interrupt.exit_code();
  }
  if (interrupt.interrupted()) {
    console.Note(absl::StrCat("the job goes on: tersor watch ", id, ", tersor cancel ", id));
    return interrupt.exit_code();
  }
  if (!absl::IsDeadlineExceeded(status)) return console.Fail(status);
  console.Fail(kExitTimeout,
               absl::StrCat("job ", id, " has not ended within ", timeout_, "; it goes on: tersor watch ", id));
  absl::Status junit = WriteFailureJunit(id, absl::StrCat("not ended within ", timeout_), junit_);
  if (!junit.ok()) console.Fail(junit);
  return kExitTimeout;
}

int SubmitCommand::Wait(const Connection& connection, const JobClient& jobs, const std::string& id, absl::Time deadline,
                        Console& console) {
  InterruptScope interrupt;
  absl::StatusOr<v1::Job> job = FollowJob(jobs, id, deadline, interrupt, console);
  if (!job.ok()) return StopWaiting(job.status(), jobs, id, interrupt, console);
  return ShowEnd(connection, *job, console);
}

int SubmitCommand::Run(const CommonOptions& common, Console& console) {
  absl::Time deadline = absl::InfiniteFuture();
  if (!timeout_.empty()) {
    absl::StatusOr<absl::Duration> timeout = ParseDuration(timeout_, "--timeout");
    if (!timeout.ok()) return console.Fail(timeout.status());
    deadline = absl::Now() + *timeout;
  }
  if (!wait_ && (!junit_.empty() || !timeout_.empty() || cancel_on_interrupt_)) {
    return console.Fail(kExitUsage, "--timeout, --junit and --cancel-on-interrupt need --wait");
  }
  int code = Submit(common, deadline, console);
  if (absl::Status junit = WriteErrorJunit(code, console, junit_); !junit.ok()) console.Fail(junit);
  return code;
}

int SubmitCommand::Submit(const CommonOptions& common, absl::Time deadline, Console& console) {
  absl::StatusOr<RecipeInput> input = ReadRecipeInput(recipe_, engine_);
  if (!input.ok()) return console.Fail(input.status());
  CompleteFaults(engine_, recipe_.DataPaths(), *input);
  if (!ReportFaults(*input, console)) return kExitUsage;
  absl::StatusOr<v1::SubmitJobRequest> request = MakeRequest(input->loaded.recipe);
  if (!request.ok()) return console.Fail(request.status());
  absl::StatusOr<Connection> connection = Connect(common);
  if (!connection.ok()) return console.Fail(connection.status());
  JobClient jobs(*connection);
  absl::StatusOr<v1::Job> job = jobs.Submit(*request);
  if (!job.ok()) return FailRecipe(job.status(), *input, console);
  if (wait_) {
    console.Note(absl::StrCat("job ", job->id()));
    return Wait(*connection, jobs, job->id(), deadline, console);
  }
  if (console.json) {
    console.Json(*job);
  } else {
    console.Out() << job->id() << std::endl;
    console.Note(job->cached_from().empty()
                     ? absl::StrCat("follow it: tersor watch ", job->id())
                     : absl::StrCat("answered from ", job->cached_from(), ": tersor report ", job->id()));
  }
  return kExitPassed;
}

}  // namespace

std::unique_ptr<Command> NewSubmitCommand(Engine* engine) { return std::make_unique<SubmitCommand>(engine); }

}  // namespace tersor::client
