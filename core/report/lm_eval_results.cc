#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/compare/perplexity_error.h"
#include "core/compare/report_side.h"
#include "core/compare/task_forms.h"
#include "core/report/comparison_format.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using Json = nlohmann::ordered_json;

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// lm-eval's versions are numbers where they can be.
Json Version(const std::string& version) {
  double number = 0;
  return absl::SimpleAtod(version, &number) && std::isfinite(number) ? Json(number) : Json(version);
}

// lm-eval writes "N/A" for an error that it does not know.
Json Error(const v1::TaskResult::Metric& metric) {
  const bool known = metric.has_standard_error() && metric.count() > 1 && std::isfinite(metric.standard_error());
  return known ? Json(metric.standard_error()) : Json("N/A");
}

// `name` tells forms of one task apart: "mmlu:5shot".
void AddTask(const v1::TaskResult& task, const std::string& name, Json& document) {
  Json& results = document["results"][name] = {{"alias", name}};
  for (const v1::TaskResult::Metric& metric : task.metrics()) {
    results[absl::StrCat(metric.name(), ",none")] = Number(metric.value());
    results[absl::StrCat(metric.name(), "_stderr,none")] = Error(metric);
    document["higher_is_better"][name][metric.name()] = metric.higher_is_better();
  }
  document["group_subtasks"][name] = Json::array();
  document["configs"][name] = {{"task", task.task()},
                               {"num_fewshot", task.few_shot()},
                               {"metadata", {{"version", Version(task.version())}, {"tersor_hash", task.hash()}}}};
  document["versions"][name] = Version(task.version());
  document["n-shot"][name] = task.few_shot();
  document["n-samples"][name] = {{"original", task.items_size()}, {"effective", task.items_size()}};
  document["task_hashes"][name] = task.hash();
}

// Which of the recipe's conventions a result was measured under.
std::string Convention(const v1::Report& report, int index) {
  const auto& asked = report.recipe().evaluate().perplexity();
  return index < asked.size() ? asked[index].convention() : "";
}

void AddWordPerplexity(const v1::PerplexityResult& result, Json& document) {
  const std::string name = absl::StrCat("wikitext_", result.dataset());
  const std::optional<double> error = PerplexityStandardError(result);
  document["results"][name] = {{"alias", name},
                               {"word_perplexity,none", Number(result.value())},
                               {"word_perplexity_stderr,none", error.has_value() ? Json(*error) : Json("N/A")}};
  document["higher_is_better"][name]["word_perplexity"] = false;
  document["group_subtasks"][name] = Json::array();
  document["configs"][name] = {{"task", name}, {"metadata", {{"tersor_hash", result.hash()}}}};
  document["versions"][name] = 2.0;
  document["n-shot"][name] = 0;
  document["n-samples"][name] = {{"original", 1}, {"effective", 1}};
  document["task_hashes"][name] = result.hash();
}

}  // namespace

std::string LmEvalModelName(const v1::Report& report, absl::string_view subject) {
  if (subject == kBaselineModelSubject) {
    const std::string& name = report.baseline_model().name();
    return name == report.model().name() ? absl::StrCat(name, "-baseline") : name;
  }
  return absl::StrCat(report.model().name(), subject == kDenseSubject ? "" : "-compressed");
}

std::string ReportToLmEval(const v1::Report& report, const std::string& subject) {
  Json document = {{"results", Json::object()},  {"group_subtasks", Json::object()},
                   {"configs", Json::object()},  {"versions", Json::object()},
                   {"n-shot", Json::object()},   {"higher_is_better", Json::object()},
                   {"n-samples", Json::object()}};
  const v1::ModelInfo& info = subject == kBaselineModelSubject ? report.baseline_model() : report.model();
  const std::string model = LmEvalModelName(report, subject);
  document["config"] = {{"model", "tersor"},
                        {"model_args", absl::StrCat("pretrained=", info.path(), ",job=", report.job_id())},
                        {"model_num_parameters", info.parameters()},
                        {"model_sha", info.sha256()},
                        {"device", "cpu"},
                        {"limit", nullptr}};
  document["model_source"] = "tersor";
  document["model_name"] = model;
  document["model_name_sanitized"] = model;
  document["tersor_version"] = report.tersor_version();
  document["tersor_labels"] = Json::object();
  for (const auto& [key, value] : std::map<std::string, std::string>(report.labels().begin(), report.labels().end())) {
    document["tersor_labels"][key] = value;
  }
  document["task_hashes"] = Json::object();
  std::vector<const v1::TaskResult*> tasks;
  for (const v1::TaskResult& task : report.tasks()) {
    if (task.subject() == subject) tasks.push_back(&task);
  }
  for (const TaskForm& form : TaskForms(tasks)) {
    const auto first = std::find_if(tasks.begin(), tasks.end(), [&](const auto* task) { return form.Has(*task); });
    AddTask(**first, form.label, document);
  }
  int index = 0;
  for (const v1::PerplexityResult& result : report.perplexity()) {
    if (result.subject() == subject && Convention(report, index++) == "words") AddWordPerplexity(result, document);
  }
  return absl::StrCat(document.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace tersor
