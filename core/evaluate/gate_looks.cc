#include "core/evaluate/gate_looks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/report_side.h"
#include "core/evaluate/gate_metrics.h"
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

}  // namespace

bool ExtendsTasks(const v1::Recipe& recipe) {
  return ExtendsOnInconclusive(recipe) &&
         std::any_of(recipe.gates().begin(), recipe.gates().end(), [](const std::string& expression) {
           const absl::StatusOr<Gate> gate = ParseGate(expression);
           return gate.ok() && IsOnTasks(*gate);
         });
}

void AddLook(v1::GateResult& result) {
  v1::GateResult::Look* look = result.add_looks();
  look->set_count(result.count());
  look->set_value(result.value());
  *look->mutable_interval() = result.interval();
  look->set_outcome(result.outcome());
}

GateLooks::GateLooks(const v1::Recipe& recipe, const std::map<std::string, int64_t>& available)
    : recipe_(recipe), available_(available) {
  for (const std::string& expression : recipe.gates()) {
    absl::StatusOr<Gate> gate = ParseGate(expression);
    if (!gate.ok() || !BaselineOf(*gate, recipe).empty() || !IsOnTasks(*gate)) continue;
    Watched& watched = gates_.emplace_back();
    watched.gate = *std::move(gate);
  }
}

void GateLooks::LookAt(const v1::Report& report, Watched& watched) const {
  const ReportSide after = ResultSide(report);
  int64_t items = 0, all = 0;
  watched.tasks.clear();
  for (const v1::TaskResult& task : report.tasks()) {
    if (task.subject() != after.subject || !RestsOn(watched.gate, task)) continue;
    const auto it = available_.find(task.task());
    items += task.items_size();
    all += std::max<int64_t>(it == available_.end() ? 0 : it->second, task.items_size());
    watched.tasks.push_back(task.task());
  }
  watched.more = items < all;
  const double share = all > 0 ? static_cast<double>(items) / static_cast<double>(all) : 1;
  // Other gates' tasks grew, this one's did not: nothing new to see.
  if (!watched.shares.empty() && share <= watched.shares.back()) return;
  watched.shares.push_back(share);
  const double confidence = RepeatedConfidence(watched.shares, GateConfidence(recipe_));
  v1::GateResult result = EvaluateGate(watched.gate, recipe_, report, {}, confidence);
  *result.mutable_looks() = watched.result.looks();
  AddLook(result);
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
    for (const std::string& task : watched.tasks) {
      if (std::find(tasks.begin(), tasks.end(), task) == tasks.end()) tasks.push_back(task);
    }
  }
  return tasks;
}

std::vector<v1::GateResult> GateLooks::Results() const {
  std::vector<v1::GateResult> results;
  for (const Watched& watched : gates_) results.push_back(watched.result);
  return results;
}

}  // namespace tersor
