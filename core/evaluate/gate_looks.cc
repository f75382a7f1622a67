#include "core/evaluate/gate_looks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/report_side.h"
#include "core/evaluate/gate_metrics.h"
#include "core/evaluate/gate_selection.h"
#include "core/statistics/sequential.h"

namespace tersor {
namespace {

bool IsOnTasks(const Gate& gate) {
  return gate.entry->need == GateNeed::kTasks || gate.entry->need == GateNeed::kSuite;
}

bool RestsOn(const Gate& gate, const v1::TaskResult& task) {
  if (gate.entry->scope == GateScope::kTask) return task.task() == gate.subject;
  if (gate.entry->scope == GateScope::kAbility && task.ability() != gate.subject) return false;
  const v1::TaskResult::Metric* metric = FindMetric(task, "");
  return metric != nullptr && metric->higher_is_better();
}

// The recipe's perplexity that a gate with an interval over blocks of text rests on; -1 for others.
int TextOf(const Gate& gate, const v1::Recipe& recipe) {
  if (!BaselineOf(gate, recipe).empty()) return -1;
  if (gate.entry->need == GateNeed::kDivergence) return 0;
  if (gate.entry->scope != GateScope::kPerplexity || !gate.entry->comparative) return -1;
  const std::vector<int> selected = SelectedPerplexities(gate, recipe);
  return selected.size() == 1 ? selected[0] : -1;
}

// Adds the gate's figure as it stands to its looks. `windows`: of its text; 0 where it has no more.
void AddLook(v1::GateResult& result, int64_t windows) {
  v1::GateResult::Look* look = result.add_looks();
  look->set_count(result.count());
  look->set_value(result.value());
  *look->mutable_interval() = result.interval();
  look->set_outcome(result.outcome());
  look->set_windows(windows);
}

template <typename T>
void AddOnce(const T& value, std::vector<T>& values) {
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

}  // namespace

bool ExtendsTasks(const v1::Recipe& recipe) {
  return ExtendsOnInconclusive(recipe) &&
         std::any_of(recipe.gates().begin(), recipe.gates().end(), [](const std::string& expression) {
           const absl::StatusOr<Gate> gate = ParseGate(expression);
           return gate.ok() && IsOnTasks(*gate);
         });
}

std::vector<int> ExtendableTexts(const v1::Recipe& recipe) {
  std::vector<int> texts;
  if (!ExtendsOnInconclusive(recipe)) return texts;
  for (const std::string& expression : recipe.gates()) {
    const absl::StatusOr<Gate> gate = ParseGate(expression);
    const int text = gate.ok() ? TextOf(*gate, recipe) : -1;
    const auto& perplexities = recipe.evaluate().perplexity();
    if (text >= 0 && text < perplexities.size() && perplexities[text].max_windows() > 0) AddOnce(text, texts);
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

void AddSingleLooks(const v1::Recipe& recipe, GateData data, const BaselineReports& baselines, v1::Report& report) {
  for (const std::string& expression : recipe.gates()) {
    const absl::StatusOr<Gate> gate = ParseGate(expression);
    if (!gate.ok() || BaselineOf(*gate, recipe).empty()) continue;
    if ((gate->entry->scope == GateScope::kPerplexity) != (data == GateData::kTexts)) continue;
    v1::GateResult result = EvaluateGate(*gate, recipe, report, baselines, GateConfidence(recipe));
    AddLook(result, 0);
    *report.add_gates() = std::move(result);
  }
}

GateLooks::GateLooks(const v1::Recipe& recipe, const std::map<std::string, int64_t>& items)
    : recipe_(recipe), items_(items) {
  for (const std::string& expression : recipe.gates()) {
    absl::StatusOr<Gate> gate = ParseGate(expression);
    if (!gate.ok() || !BaselineOf(*gate, recipe).empty() || !IsOnTasks(*gate)) continue;
    gates_.emplace_back().gate = *std::move(gate);
  }
}

GateLooks::GateLooks(const v1::Recipe& recipe, const std::map<int, int64_t>& windows, DivergenceAt divergence)
    : recipe_(recipe), windows_(windows), divergence_(std::move(divergence)) {
  for (const std::string& expression : recipe.gates()) {
    absl::StatusOr<Gate> gate = ParseGate(expression);
    const int text = gate.ok() ? TextOf(*gate, recipe) : -1;
    if (windows_.count(text) == 0) continue;
    Watched& watched = gates_.emplace_back();
    watched.gate = *std::move(gate);
    watched.text = text;
  }
}

GateLooks::Evidence GateLooks::ItemsOf(const v1::Report& report, Watched& watched) const {
  const ReportSide after = ResultSide(report);
  Evidence evidence;
  watched.tasks.clear();
  for (const v1::TaskResult& task : report.tasks()) {
    if (task.subject() != after.subject || !RestsOn(watched.gate, task)) continue;
    const auto it = items_.find(task.task());
    evidence.seen += task.items_size();
    evidence.all += std::max<int64_t>(it == items_.end() ? 0 : it->second, task.items_size());
    watched.tasks.push_back(task.task());
  }
  return evidence;
}

GateLooks::Evidence GateLooks::WindowsOf(const v1::Report& report, const Watched& watched) const {
  const ReportSide after = ResultSide(report);
  int left = watched.text;
  for (const v1::PerplexityResult& result : report.perplexity()) {
    if (result.subject() != after.subject || left-- != 0) continue;
    return {result.windows_size(), std::max<int64_t>(windows_.at(watched.text), result.windows_size())};
  }
  return {};
}

v1::GateResult GateLooks::Judge(const v1::Report& report, const Gate& gate, double confidence) const {
  if (gate.entry->need != GateNeed::kDivergence || !report.has_divergence()) {
    return EvaluateGate(gate, recipe_, report, {}, confidence);
  }
  // The report's intervals are those of a single look.
  v1::Report seen;
  *seen.mutable_recipe() = report.recipe();
  *seen.mutable_divergence() = divergence_(confidence);
  return EvaluateGate(gate, recipe_, seen, {}, confidence);
}

void GateLooks::LookAt(const v1::Report& report, Watched& watched) const {
  const bool text = watched.text >= 0;
  const Evidence evidence = text ? WindowsOf(report, watched) : ItemsOf(report, watched);
  watched.more = evidence.seen < evidence.all;
  const double share = evidence.all > 0 ? static_cast<double>(evidence.seen) / static_cast<double>(evidence.all) : 1;
  // What other gates rest on grew, not what this one does: nothing new to see.
  if (!watched.shares.empty() && share <= watched.shares.back()) return;
  watched.shares.push_back(share);
  v1::GateResult result = Judge(report, watched.gate, RepeatedConfidence(watched.shares, GateConfidence(recipe_)));
  *result.mutable_looks() = watched.result.looks();
  AddLook(result, text ? evidence.seen : 0);
  result.set_available(evidence.all);
  if (result.looks_size() > 1) result.set_reason(absl::StrCat(result.reason(), ", look ", result.looks_size()));
  watched.result = std::move(result);
}

void GateLooks::Look(const v1::Report& report) {
  for (Watched& watched : gates_) {
    if (!watched.decided()) LookAt(report, watched);
  }
}

std::vector<std::string> GateLooks::UndecidedTasks() const {
  std::vector<std::string> tasks;
  for (const Watched& watched : gates_) {
    if (watched.decided() || !watched.more) continue;
    for (const std::string& task : watched.tasks) AddOnce(task, tasks);
  }
  return tasks;
}

std::vector<int> GateLooks::UndecidedTexts() const {
  std::vector<int> texts;
  for (const Watched& watched : gates_) {
    if (!watched.decided() && watched.more && watched.text >= 0) AddOnce(watched.text, texts);
  }
  return texts;
}

std::vector<v1::GateResult> GateLooks::Results() const {
  std::vector<v1::GateResult> results;
  for (const Watched& watched : gates_) results.push_back(watched.result);
  return results;
}

}  // namespace tersor
