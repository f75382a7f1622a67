#include "core/pipeline/task_extension.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/report_side.h"
#include "core/evaluate/gate_looks.h"
#include "core/evaluate/gate_metrics.h"
#include "core/pipeline/stage_list.h"
#include "core/pipeline/task_evaluation.h"
#include "core/statistics/sequential.h"

namespace tersor {
namespace {

// How far each task has come.
struct Progression {
  std::vector<int64_t> looks;
  size_t look = 0;
  bool done() const { return look + 1 >= looks.size(); }
};

// The result of the `index`-th task on `subject`; null where there is none.
v1::TaskResult* ResultOf(v1::Report& report, absl::string_view subject, size_t index) {
  for (v1::TaskResult& result : *report.mutable_tasks()) {
    if (result.subject() == subject && index-- == 0) return &result;
  }
  return nullptr;
}

absl::Status GoOn(const Extending& extending, size_t index, Progression& progression, v1::Report& report) {
  LoadedTask part = extending.whole[index];
  const int64_t before = progression.looks[progression.look], items = progression.looks[++progression.look];
  extending.tell(absl::StrCat(TaskLabel(part), ": a gate is not decided on ", before, " items; going on to ", items));
  part.items.resize(items);
  for (const absl::string_view subject : {kDenseSubject, kCompressedSubject}) {
    v1::TaskResult* result = ResultOf(report, subject, index);
    if (result == nullptr) continue;
    TERSOR_ASSIGN_OR_RETURN(v1::TaskResult asked, extending.ask(subject, part));
    // What was asked earlier in this job is no other job's answer.
    asked.set_cached(std::max<int64_t>(asked.cached() - before, 0) + result->cached());
    asked.set_seconds(asked.seconds() + result->seconds());
    *result = std::move(asked);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ExtendUntilDecided(const v1::Recipe& recipe, const Extending& extending, v1::Report& report) {
  const absl::string_view judged = ResultSide(report).subject;
  std::vector<Progression> progressions;
  std::map<std::string, int64_t> available;
  for (size_t i = 0; i < extending.whole.size(); ++i) {
    const v1::TaskResult* result = ResultOf(report, judged, i);
    if (result == nullptr) return absl::InternalError("a task that may go on has no result");
    const auto all = static_cast<int64_t>(extending.whole[i].items.size());
    progressions.push_back({.looks = DoublingLooks(result->items_size(), all)});
    available[result->task()] = all;
  }
  report.clear_gates();
  AddSingleLooks(recipe, GateData::kTasks, extending.baselines, report);
  GateLooks looks(recipe, available);
  looks.Look(report);
  for (std::vector<std::string> undecided = looks.UndecidedTasks(); !undecided.empty();
       undecided = looks.UndecidedTasks()) {
    for (size_t i = 0; i < extending.whole.size(); ++i) {
      const std::string& name = extending.whole[i].definition.name();
      if (progressions[i].done() || std::find(undecided.begin(), undecided.end(), name) == undecided.end()) continue;
      TERSOR_RETURN_IF_ERROR(GoOn(extending, i, progressions[i], report));
    }
    looks.Look(report);
  }
  for (v1::GateResult& result : looks.Results()) *report.add_gates() = std::move(result);
  return absl::OkStatus();
}

absl::Status ExtendTasks(const JobParts& parts) {
  if (!ExtendsTasks(parts.recipe)) return absl::OkStatus();
  return parts.run_stage(kExtensionStage, [&](v1::StageReport&) {
    const Extending extending = {
        .whole = parts.job.inputs.whole_tasks,
        .ask = [&](absl::string_view subject, const LoadedTask& task) { return AskTask(parts, subject, task); },
        .tell = [&](const std::string& message) { parts.Tell(message); },
        .baselines = parts.options.baselines};
    return ExtendUntilDecided(parts.recipe, extending, parts.report);
  });
}

}  // namespace tersor
