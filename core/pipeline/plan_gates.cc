#include "core/pipeline/plan_gates.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/nearest_name.h"
#include "core/evaluate/gate_looks.h"
#include "core/evaluate/gate_metrics.h"
#include "core/evaluate/gate_power.h"
#include "core/evaluate/gates.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/tasks/metric_registry.h"
#include "core/pipeline/plan_evaluation.h"
#include "core/pipeline/stage_list.h"

namespace tersor {
namespace {

double SecondsOf(const v1::Plan& plan, const std::string& stage) {
  for (const v1::PlannedStage& one : plan.stages()) {
    if (one.name() == stage) return one.seconds();
  }
  return 0;
}

// Of the dense and the compressed model.
template <typename Name>
double SecondsOfBoth(const v1::Recipe& recipe, const v1::Plan& plan, const Name& name) {
  return SecondsOf(plan, name("dense")) + (Compresses(recipe) ? SecondsOf(plan, name("compressed")) : 0);
}

bool HigherIsBetter(const LoadedTask& task) {
  const TaskMetric* main = FindTaskMetric(task.definition.metrics(0));
  return main == nullptr || main->higher_is_better;
}

PlannedEvidence EvidenceOf(const v1::Recipe& recipe, const JobInputs& inputs, const v1::Plan& plan) {
  PlannedEvidence evidence;
  for (size_t i = 0; i < inputs.tasks.size(); ++i) {
    const LoadedTask& task = inputs.tasks[i];
    const auto first = static_cast<int64_t>(task.items.size());
    const auto items = inputs.whole_tasks.empty() ? first : static_cast<int64_t>(inputs.whole_tasks[i].items.size());
    const double seconds =
        SecondsOfBoth(recipe, plan, [&](const char* subject) { return TaskStageName(subject, task); });
    evidence.tasks.push_back({.name = task.definition.name(),
                              .ability = task.ability,
                              .items = items,
                              .seconds = seconds * static_cast<double>(items) / static_cast<double>(first),
                              .metric = task.definition.metrics(0),
                              .higher_is_better = HigherIsBetter(task),
                              .first = first,
                              .available = task.available});
  }
  const std::vector<int> extendable = ExtendableTexts(recipe);
  for (size_t i = 0; i < inputs.perplexities.size(); ++i) {
    const int index = static_cast<int>(i);
    const bool goes_on = std::find(extendable.begin(), extendable.end(), index) != extendable.end();
    const auto blocks = [](int64_t tokens) { return std::max<int64_t>(tokens / kBlockTokens, 1); };
    const int64_t first = blocks(PerplexityTokens(inputs.perplexities[i]));
    const int64_t all = goes_on ? blocks(WholeTextTokens(inputs.perplexities[i])) : first;
    const double seconds =
        SecondsOf(plan, DenseStageName(index)) + (Compresses(recipe) ? SecondsOf(plan, CompressedStageName(index)) : 0);
    evidence.texts.push_back({.blocks = all,
                              .seconds = seconds * static_cast<double>(all) / static_cast<double>(first),
                              .first = goes_on ? first : 0});
  }
  return evidence;
}

// "" or what the gate asks of the tasks that they do not have.
std::string SubjectFault(const Gate& gate, const JobInputs& inputs) {
  std::vector<std::string> names;
  const bool ability = gate.entry->scope == GateScope::kAbility;
  for (const LoadedTask& task : inputs.tasks) {
    const std::string& name = ability ? task.ability : task.definition.name();
    if (std::find(names.begin(), names.end(), name) == names.end() && !name.empty()) names.push_back(name);
    if (name != gate.subject) continue;
    const auto& metrics = task.definition.metrics();
    if (gate.task_metric.empty() || std::find(metrics.begin(), metrics.end(), gate.task_metric) != metrics.end()) {
      return "";
    }
    return absl::StrCat(
        gate.subject, " is not scored so: ", UnknownName("metric", gate.task_metric, {metrics.begin(), metrics.end()}));
  }
  return absl::StrCat("nothing of it is evaluated: ", UnknownName(ability ? "ability" : "task", gate.subject, names));
}

}  // namespace

bool RestsOn(const Gate& gate, const LoadedTask& task) {
  if (gate.entry->need != GateNeed::kTasks && gate.entry->need != GateNeed::kSuite) return false;
  if (gate.entry->scope == GateScope::kTask) return task.definition.name() == gate.subject;
  if (gate.entry->scope == GateScope::kAbility && task.ability != gate.subject) return false;
  return HigherIsBetter(task);
}

void CheckGateSubjects(const v1::Recipe& recipe, const JobInputs& inputs, std::vector<FieldViolation>& violations) {
  const auto faulty = [faults = violations](absl::string_view field) {
    return std::any_of(faults.begin(), faults.end(),
                       [&](const FieldViolation& violation) { return absl::StartsWith(violation.field, field); });
  };
  // What could not be read may be what a gate is about.
  if (faulty("evaluate.tasks") || faulty("evaluate.suite")) return;
  for (int i = 0; i < recipe.gates_size(); ++i) {
    const std::string field = absl::StrCat("gates[", i, "]");
    const absl::StatusOr<Gate> gate = ParseGate(recipe.gates(i));
    if (!gate.ok() || !gate->entry->named() || faulty(field)) continue;
    const std::string fault = SubjectFault(*gate, inputs);
    if (!fault.empty()) violations.push_back({field, fault});
  }
}

void PlanGatePower(const v1::Recipe& recipe, const JobInputs& inputs, v1::Plan& plan) {
  const std::vector<v1::GatePower> powers = PowerOfGates(recipe, EvidenceOf(recipe, inputs, plan));
  plan.mutable_powers()->Assign(powers.begin(), powers.end());
  for (const v1::Warning& warning : PowerWarnings(powers)) *plan.add_warnings() = warning;
}

}  // namespace tersor
