#include "core/evaluate/tasks/abilities.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/evaluate/tasks/metric_registry.h"
#include "core/evaluate/tasks/task_definition.h"

namespace tersor {
namespace {

constexpr double kTwoSided95 = 1.959964;
constexpr double kOneSided95 = 1.644854;
// A perplexity that rose by less is what people take for unharmed.
constexpr double kHarmlessRatio = 1.15;

// One task, dense and compressed on the same items.
struct PairedTask {
  double dense = 0;
  double compressed = 0;
  // What answering at random scores.
  double chance = 0;
  double dense_variance = 0;  // of the mean
  // Of the mean difference dense - compressed, with the two added items.
  double drop = 0;
  double drop_variance = 0;
  int64_t items = 0;
};

std::string MeanMetric(const v1::TaskResult& result) {
  for (const v1::TaskResult::Metric& metric : result.metrics()) {
    const TaskMetric* known = FindTaskMetric(metric.name());
    if (known != nullptr && known->is_mean()) return metric.name();
  }
  return "";
}

double ScoreOf(const v1::TaskResult::Item& item, const std::string& metric) {
  const auto found = item.scores().find(metric);
  return found == item.scores().end() ? 0 : found->second;
}

PairedTask Pair(const v1::TaskResult& dense, const v1::TaskResult& compressed, const std::string& metric) {
  PairedTask task;
  task.items = std::min(dense.items_size(), compressed.items_size());
  double squares = 0, differences = 0, dense_squares = 0;
  for (int i = 0; i < task.items; ++i) {
    const double before = ScoreOf(dense.items(i), metric), after = ScoreOf(compressed.items(i), metric);
    task.dense += before;
    task.compressed += after;
    dense_squares += before * before;
    differences += before - after;
    squares += (before - after) * (before - after);
    if (dense.items(i).loglikelihoods_size() > 1) task.chance += 1.0 / dense.items(i).loglikelihoods_size();
  }
  const double n = static_cast<double>(task.items), more = n + 2;
  task.drop = differences / more;
  task.drop_variance = ((squares + 1) / more - task.drop * task.drop) / more;
  task.dense /= n;
  task.compressed /= n;
  task.chance /= n;
  task.dense_variance = std::max(dense_squares / n - task.dense * task.dense, 0.0) / n;
  return task;
}

std::string Points(double share) { return absl::StrFormat("%.1f", 100 * share); }

void Judge(double dense_margin, double dense_error, v1::AbilityResult& result) {
  const std::string interval = absl::StrCat("95 %: ", Points(result.low()), " to ", Points(result.high()),
                                            " points on ", result.items(), " items");
  if (dense_margin <= kOneSided95 * dense_error) {
    result.set_outcome(v1::ABILITY_OUTCOME_NOT_MEASURABLE);
    result.set_reason("the dense model itself does no better than chance on these items");
  } else if (result.high() <= kAbilityTolerance) {
    result.set_outcome(v1::ABILITY_OUTCOME_KEPT);
    result.set_reason(absl::StrCat("lost less than ", Points(kAbilityTolerance), " points (", interval, ")"));
  } else if (result.low() > 0) {
    result.set_outcome(v1::ABILITY_OUTCOME_DAMAGED);
    result.set_reason(absl::StrCat("lost ", Points(result.drop()), " points (", interval, ")"));
  } else {
    result.set_outcome(v1::ABILITY_OUTCOME_UNDECIDED);
    result.set_reason(absl::StrCat("a loss of ", Points(result.high()), " points cannot be excluded (", interval, ")"));
  }
}

v1::AbilityResult Summarize(const std::string& ability, const std::map<std::string, PairedTask>& tasks) {
  v1::AbilityResult result;
  result.set_ability(ability);
  const double count = static_cast<double>(tasks.size());
  double chance = 0, dense_variance = 0, middle = 0, variance = 0;
  for (const auto& [name, task] : tasks) {
    result.add_tasks(name);
    result.set_items(result.items() + task.items);
    result.set_dense(result.dense() + task.dense / count);
    result.set_compressed(result.compressed() + task.compressed / count);
    chance += task.chance / count;
    dense_variance += task.dense_variance / (count * count);
    middle += task.drop / count;
    variance += task.drop_variance / (count * count);
  }
  result.set_drop(result.dense() - result.compressed());
  result.set_standard_error(std::sqrt(variance));
  result.set_low(middle - kTwoSided95 * std::sqrt(variance));
  result.set_high(middle + kTwoSided95 * std::sqrt(variance));
  Judge(result.dense() - chance, std::sqrt(dense_variance), result);
  return result;
}

// compressed / dense of the first perplexity that has both; 0 where none has.
double PerplexityRatio(const v1::Report& report) {
  for (const v1::PerplexityResult& dense : report.perplexity()) {
    for (const v1::PerplexityResult& other : report.perplexity()) {
      if (dense.subject() == "dense" && other.subject() == "compressed" && other.hash() == dense.hash()) {
        return other.value() / dense.value();
      }
    }
  }
  return 0;
}

}  // namespace

std::vector<v1::AbilityResult> SummarizeAbilities(const v1::Report& report) {
  std::map<std::string, std::map<std::string, PairedTask>> abilities;
  for (const v1::TaskResult& dense : report.tasks()) {
    const std::string metric = MeanMetric(dense);
    if (dense.subject() != "dense" || dense.ability().empty() || metric.empty()) continue;
    for (const v1::TaskResult& other : report.tasks()) {
      const bool pair = other.subject() == "compressed" && other.task() == dense.task() && other.hash() == dense.hash();
      if (pair && dense.items_size() > 0) {
        abilities[dense.ability()].emplace(dense.task(), Pair(dense, other, metric));
      }
    }
  }
  std::vector<v1::AbilityResult> results;
  for (const std::string& ability : AbilityNames()) {
    if (const auto found = abilities.find(ability); found != abilities.end()) {
      results.push_back(Summarize(ability, found->second));
    }
  }
  return results;
}

std::vector<v1::Warning> AbilityWarnings(const v1::Report& report) {
  const double ratio = PerplexityRatio(report);
  std::vector<v1::Warning> warnings;
  for (const v1::AbilityResult& ability : report.abilities()) {
    if (ability.outcome() != v1::ABILITY_OUTCOME_DAMAGED || ratio <= 0 || ratio > kHarmlessRatio) continue;
    v1::Warning& warning = warnings.emplace_back();
    warning.set_code("PERPLEXITY_HIDES_DAMAGE");
    warning.set_where(ability.ability());
    warning.set_message(absl::StrCat("perplexity rose by ", Points(ratio - 1), " % only, but ", ability.ability(), " ",
                                     ability.reason()));
  }
  return warnings;
}

}  // namespace tersor
