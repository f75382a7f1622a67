#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands/commands.h"
#include "client/cli/local_engine.h"
#include "core/evaluate/tasks/loaded_task.h"
#include "core/report/escape.h"
#include "core/report/report_format.h"
#include "core/report/text_table.h"
#include "nlohmann/json.hpp"

namespace tersor::client {
namespace {

using Json = nlohmann::ordered_json;

class TasksCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("tasks", "Tasks and suites that recipes can name; checks a task's file");
    app.Positional("task", task_, "A task or suite to describe, or a task's file (NAME.yaml) to check with its data",
                   "NAME|FILE", false);
    app.Option("--data-path", data_paths_,
               "Folders with tasks/NAME.yaml and tasks/NAME.jsonl; default: $TERSOR_DATA_PATH", "DIR");
    AddOutputOptions(app, common);
    app.Footer(
        "Task files are also looked for in the folders of $TERSOR_TASK_PATH. docs/evaluation.md tells how to\n"
        "write one.\n\nExample:\n  tersor tasks my_tasks/capitals.yaml");
    return app;
  }

  int Run(const CommonOptions&, Console& console) override {
    const PipelineContext context =
        LocalContext(std::vector<std::filesystem::path>(data_paths_.begin(), data_paths_.end()), 0);
    const TaskLibrary library(context.data_paths, context.task_paths);
    absl::Status status;
    if (task_.empty()) {
      List(library, console);
    } else if (absl::EndsWith(task_, ".yaml")) {
      status = Check(library, console);
    } else {
      status = Describe(library, console);
    }
    return status.ok() ? kExitPassed : console.Fail(status);
  }

 private:
  void List(const TaskLibrary& library, Console& console) const;
  absl::Status Check(const TaskLibrary& library, Console& console) const;
  absl::Status Describe(const TaskLibrary& library, Console& console) const;

  std::string task_;
  std::vector<std::string> data_paths_;
};

// "700 items", "no data here", or what is wrong.
std::string DataText(const TaskLibrary& library, const FoundTask& found) {
  if (!library.FindData(found, found.definition.data()).ok()) {
    return absl::StrCat("no ", found.definition.data(), ".jsonl here");
  }
  const absl::StatusOr<LoadedTask> task = LoadFoundTask(library, found, {});
  if (!task.ok()) return absl::StrCat("faulty: ", task.status().message());
  return absl::StrCat(task->items.size(), " items");
}

void TasksCommand::List(const TaskLibrary& library, Console& console) const {
  ReportSection tasks{.columns = {{"task"}, {"scorer"}, {"metrics"}, {"data"}, {"what it asks"}}};
  Json answer = {{"tasks", Json::array()}, {"suites", Json::array()}};
  for (const std::string& name : library.TaskNames()) {
    const absl::StatusOr<FoundTask> found = library.FindTask(name);
    if (!found.ok()) {
      tasks.rows.push_back({name, "", "", "faulty", std::string(found.status().message())});
      answer["tasks"].push_back({{"name", name}, {"fault", std::string(found.status().message())}});
      continue;
    }
    const v1::TaskDefinition& definition = found->definition;
    const std::string scorer(ScorerName(definition.scorer())), data = DataText(library, *found);
    tasks.rows.push_back({name, scorer, absl::StrJoin(definition.metrics(), ", "), data, definition.description()});
    Json entry = {{"name", name}, {"scorer", scorer}, {"metrics", Json::array()}};
    for (const std::string& metric : definition.metrics()) entry["metrics"].push_back(metric);
    entry["data"] = data;
    entry["origin"] = found->origin;
    entry["description"] = definition.description();
    answer["tasks"].push_back(std::move(entry));
  }
  ReportSection suites{.columns = {{"suite"}, {"tasks"}, {"what for"}}};
  for (const std::string& name : library.SuiteNames()) {
    const absl::StatusOr<v1::SuiteDefinition> suite = library.FindSuite(name);
    const std::string text = suite.ok() ? suite->description() : std::string(suite.status().message());
    suites.rows.push_back({name, suite.ok() ? absl::StrCat(suite->tasks_size()) : "", text});
    answer["suites"].push_back({{"name", name}, {"description", text}});
  }
  if (console.json) {
    console.Out() << answer.dump(2) << std::endl;
  } else {
    console.Out() << TextTable(tasks, console.width) << "\n" << TextTable(suites, console.width) << std::flush;
  }
}

std::string ItemText(const LoadedTask& task) {
  const TaskItem& item = task.items.front();
  std::string text = absl::StrCat("First item, ", item.id, ":\n  prompt: ", Json(task.Preamble(item)).dump(), " + ",
                                  Json(item.prompt(0)).dump(), "\n");
  for (size_t i = 0; i < item.continuations.size(); ++i) {
    const bool right =
        item.choices.empty() || std::find(item.gold.begin(), item.gold.end(), static_cast<int>(i)) != item.gold.end();
    absl::StrAppend(&text, "  continuation", right ? " (right): " : ": ", Json(item.continuations[i]).dump(), "\n");
  }
  if (item.continuations.empty()) absl::StrAppend(&text, "  accepted: ", Json(item.answers).dump(), "\n");
  return text;
}

absl::Status TasksCommand::Check(const TaskLibrary& library, Console& console) const {
  TERSOR_ASSIGN_OR_RETURN(FoundTask found, ReadTaskFile(task_));
  TERSOR_ASSIGN_OR_RETURN(const LoadedTask task, LoadFoundTask(library, std::move(found), {}));
  if (console.json) {
    console.Json(task.definition);
  } else {
    console.Out() << EscapeTerminal(absl::StrCat(task_, ": sound; ", task.Words())) << "\n"
                  << EscapeTerminal(ItemText(task)) << std::flush;
  }
  return absl::OkStatus();
}

absl::Status TasksCommand::Describe(const TaskLibrary& library, Console& console) const {
  if (const absl::StatusOr<v1::SuiteDefinition> suite = library.FindSuite(task_); suite.ok()) {
    console.Json(*suite);
    return absl::OkStatus();
  }
  TERSOR_ASSIGN_OR_RETURN(const FoundTask found, library.FindTask(task_));
  console.Json(found.definition);
  if (!console.json)
    console.Out() << EscapeTerminal(absl::StrCat(found.origin, ", ", DataText(library, found))) << std::endl;
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<Command> NewTasksCommand() { return std::make_unique<TasksCommand>(); }

}  // namespace tersor::client
