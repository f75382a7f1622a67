#include "core/evaluate/tasks/task_definition.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/nearest_name.h"
#include "core/evaluate/tasks/answer_check.h"
#include "core/evaluate/tasks/metric_registry.h"
#include "core/evaluate/tasks/text_template.h"
#include "core/text/python_regex.h"
#include "core/yaml/document.h"
#include "core/yaml/message_reader.h"

namespace tersor {
namespace {

constexpr int kMostShots = 100;
constexpr int kMostTokens = 4096;
constexpr absl::string_view kDefaultSeparator = "\n\n";
constexpr int kDefaultMaxTokens = 64;

std::vector<std::string> FilterMetricNames() { return {"strict-match", "flexible-extract"}; }

bool IsFilterMetric(absl::string_view name) {
  const std::vector<std::string> names = FilterMetricNames();
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A name that is a file's name and nothing else.
bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.front() != '.' && name.size() <= 128 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
             absl::string_view::npos;
}

class TaskCheck {
 public:
  TaskCheck(const v1::TaskDefinition& task, const SourceMap& positions, std::vector<DocumentFault>& faults)
      : task_(task), positions_(positions), faults_(faults) {}

  void Run(absl::string_view name);

 private:
  void Fault(absl::string_view field, absl::string_view what) { faults_.push_back(positions_.Locate(field, what)); }
  void CheckMetrics();
  void CheckTemplate(absl::string_view field, const std::string& text);
  void CheckAnyAnswer();
  void CheckShots();
  void CheckGeneration();
  void CheckFilters();
  void CheckRegex(absl::string_view field, const std::string& pattern);

  const v1::TaskDefinition& task_;
  const SourceMap& positions_;
  std::vector<DocumentFault>& faults_;
};

void TaskCheck::Run(absl::string_view name) {
  if (task_.name() != name) {
    Fault("name", absl::StrCat("must be the file's name, \"", name, "\": a task is found by it"));
  }
  if (task_.version().empty()) Fault("version", "is missing: scores of different versions are not compared");
  if (!IsPlainName(task_.data())) Fault("data", "must be a data set's name: letters, digits, '.', '_' and '-'");
  if (task_.scorer() == v1::TASK_SCORER_UNSPECIFIED) {
    Fault("scorer", "is missing; one of choices, cloze, first_token, generate");
  }
  CheckMetrics();
  const v1::TaskTemplate& texts = task_.template_();
  CheckTemplate("template.description", texts.description());
  CheckTemplate("template.prompt", texts.prompt());
  CheckTemplate("template.choice", texts.choice());
  CheckTemplate("template.target", texts.target());
  CheckTemplate("template.answer", texts.answer());
  if (!texts.answer().empty()) CheckAnyAnswer();
  CheckShots();
  CheckGeneration();
}

void TaskCheck::CheckMetrics() {
  if (task_.metrics().empty()) return Fault("metrics", "is missing: name at least one");
  std::set<std::string> seen;
  for (int i = 0; i < task_.metrics_size(); ++i) {
    const std::string field = absl::StrCat("metrics[", i, "]");
    if (!seen.insert(task_.metrics(i)).second) Fault(field, "named twice");
    const TaskMetric* metric = FindTaskMetric(task_.metrics(i));
    if (metric == nullptr) {
      Fault(field, UnknownName("metric", task_.metrics(i), TaskMetricNames(task_.scorer())));
    } else if (task_.scorer() != v1::TASK_SCORER_UNSPECIFIED && !metric->Serves(task_.scorer())) {
      Fault(field, absl::StrCat(task_.metrics(i), " cannot be computed by the scorer ", ScorerName(task_.scorer()),
                                "; it has: ", absl::StrJoin(TaskMetricNames(task_.scorer()), ", ")));
    }
  }
}

void TaskCheck::CheckTemplate(absl::string_view field, const std::string& text) {
  if (absl::StatusOr<TextTemplate> parsed = TextTemplate::Parse(text); !parsed.ok()) {
    Fault(field, parsed.status().message());
  }
}

void TaskCheck::CheckShots() {
  const v1::ShotPool& pool = task_.few_shot();
  if (!task_.has_few_shot()) return;
  if (!IsPlainName(pool.data())) Fault("few_shot.data", "must be a data set's name");
  if (pool.count() < 0 || pool.count() > kMostShots) Fault("few_shot.count", absl::StrCat("must be 0 .. ", kMostShots));
}

void TaskCheck::CheckGeneration() {
  const v1::GenerationSettings& generate = task_.generate();
  if (task_.scorer() != v1::TASK_SCORER_GENERATE) {
    if (task_.has_generate()) Fault("generate", "is for the scorer generate alone");
    return;
  }
  if (generate.max_tokens() < 1 || generate.max_tokens() > kMostTokens) {
    Fault("generate.max_tokens", absl::StrCat("must be 1 .. ", kMostTokens));
  }
  for (int i = 0; i < generate.stop_size(); ++i) {
    if (generate.stop(i).empty()) Fault(absl::StrCat("generate.stop[", i, "]"), "is empty");
  }
  const bool known = generate.extract() == "all" || generate.extract() == "last_number" ||
                     (absl::StartsWith(generate.extract(), "after:") && generate.extract().size() > 6);
  if (!known) Fault("generate.extract", "must be all, last_number or after:TEXT");
  CheckFilters();
  for (int i = 0; i < generate.compare().regexes_to_ignore_size(); ++i) {
    CheckRegex(absl::StrCat("generate.compare.regexes_to_ignore[", i, "]"), generate.compare().regexes_to_ignore(i));
  }
}

// Any of several continuations may be right: what is of one target has no meaning.
void TaskCheck::CheckAnyAnswer() {
  if (task_.scorer() != v1::TASK_SCORER_CLOZE) return Fault("template.answer", "is for the scorer cloze alone");
  if (task_.metrics_size() == 1 && task_.metrics(0) == kExactMatchMetric) return;
  Fault("metrics",
        absl::StrCat("must be [", kExactMatchMetric, "] where template.answer takes any of several answers"));
}

void TaskCheck::CheckFilters() {
  std::set<std::string> filtered;
  for (int i = 0; i < task_.generate().filters_size(); ++i) {
    const v1::AnswerFilter& filter = task_.generate().filters(i);
    const std::string field = absl::StrCat("generate.filters[", i, "]");
    if (!IsFilterMetric(filter.name())) {
      Fault(absl::StrCat(field, ".name"), UnknownName("filter", filter.name(), FilterMetricNames()));
    } else if (!filtered.insert(filter.name()).second) {
      Fault(absl::StrCat(field, ".name"), "named twice");
    }
    CheckRegex(absl::StrCat(field, ".regex_pattern"), filter.regex_pattern());
  }
  for (int i = 0; i < task_.metrics_size(); ++i) {
    if (!IsFilterMetric(task_.metrics(i)) || filtered.contains(task_.metrics(i))) continue;
    Fault(absl::StrCat("metrics[", i, "]"),
          absl::StrCat(task_.metrics(i), " needs a filter of its name in generate.filters"));
  }
}

void TaskCheck::CheckRegex(absl::string_view field, const std::string& pattern) {
  if (pattern.empty()) return Fault(field, "is missing");
  if (const auto regex = PythonRegex::Compile(pattern); !regex.ok()) Fault(field, regex.status().message());
}

void FillDefaults(v1::TaskDefinition& task) {
  if (task.data().empty()) task.set_data(task.name());
  if (task.has_few_shot() && task.few_shot().separator().empty()) {
    task.mutable_few_shot()->set_separator(std::string(kDefaultSeparator));
  }
  if (task.scorer() != v1::TASK_SCORER_GENERATE) return;
  v1::GenerationSettings& generate = *task.mutable_generate();
  if (generate.max_tokens() == 0) generate.set_max_tokens(kDefaultMaxTokens);
  if (generate.extract().empty()) generate.set_extract("all");
}

// False where the text could not be read as the message.
bool ReadFile(absl::string_view yaml, SourceMap& positions, std::vector<DocumentFault>& faults,
              google::protobuf::Message& message) {
  const DocumentNodePtr root = ParseYaml(yaml, {}, faults);
  if (root == nullptr) return false;
  ReadMessage(*root, positions, faults, message);
  return true;
}

}  // namespace

absl::string_view ScorerName(v1::TaskScorer scorer) {
  switch (scorer) {
    case v1::TASK_SCORER_CHOICES:
      return "choices";
    case v1::TASK_SCORER_CLOZE:
      return "cloze";
    case v1::TASK_SCORER_FIRST_TOKEN:
      return "first_token";
    case v1::TASK_SCORER_GENERATE:
      return "generate";
    default:
      return "unspecified";
  }
}

std::vector<std::string> AbilityNames() {
  return {"knowledge", "knowledge_in_context", "reasoning", "understanding", "generation"};
}

TaskFile ParseTask(absl::string_view yaml, absl::string_view name) {
  TaskFile file;
  SourceMap positions;
  if (ReadFile(yaml, positions, file.faults, file.definition)) {
    FillDefaults(file.definition);
    TaskCheck(file.definition, positions, file.faults).Run(name);
  }
  SortFaults(file.faults);
  return file;
}

SuiteFile ParseSuite(absl::string_view yaml, absl::string_view name) {
  SuiteFile file;
  SourceMap positions;
  if (!ReadFile(yaml, positions, file.faults, file.definition)) return file;
  const auto fault = [&](absl::string_view field, absl::string_view what) {
    file.faults.push_back(positions.Locate(field, what));
  };
  if (file.definition.name() != name) fault("name", absl::StrCat("must be the file's name, \"", name, "\""));
  if (file.definition.tasks().empty()) fault("tasks", "is missing: name at least one task");
  const std::vector<std::string> abilities = AbilityNames();
  for (int i = 0; i < file.definition.tasks_size(); ++i) {
    const v1::SuiteTask& task = file.definition.tasks(i);
    const std::string field = absl::StrCat("tasks[", i, "]");
    if (!IsPlainName(task.name())) fault(absl::StrCat(field, ".name"), "is no task's name");
    if (task.limit() < 0) fault(absl::StrCat(field, ".limit"), "must be 0 (all) or more");
    if (task.few_shot() < 0 || task.few_shot() > kMostShots) {
      fault(absl::StrCat(field, ".few_shot"), absl::StrCat("must be 0 .. ", kMostShots));
    }
    if (task.ability().empty()) continue;
    if (std::find(abilities.begin(), abilities.end(), task.ability()) == abilities.end()) {
      fault(absl::StrCat(field, ".ability"), UnknownName("ability", task.ability(), abilities));
    }
  }
  SortFaults(file.faults);
  return file;
}

absl::Status FaultsToStatus(absl::string_view where, const std::vector<DocumentFault>& faults) {
  if (faults.empty()) return absl::OkStatus();
  std::vector<std::string> lines;
  for (const DocumentFault& fault : faults) lines.push_back(FormatFault(where, fault));
  return absl::InvalidArgumentError(absl::StrJoin(lines, "\n"));
}

}  // namespace tersor
