// The metrics that a task may name: what an item adds to each, and what the set's value is.
#ifndef TERSOR_CORE_EVALUATE_TASKS_METRIC_REGISTRY_H_
#define TERSOR_CORE_EVALUATE_TASKS_METRIC_REGISTRY_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/evaluate/metrics/corpus_metric.h"
#include "core/evaluate/tasks/task_item.h"
#include "tersor/v1/report.pb.h"
#include "tersor/v1/task.pb.h"

namespace tersor {

// What the model answered to an item. Which parts are set depends on the task's scorer.
struct ItemAnswer {
  // One a continuation.
  std::vector<double> log_likelihoods = {};
  std::vector<bool> greedy = {};
  // Of the target's first token, from 1; 0 where not asked for.
  int64_t rank = 0;
  // Generated text up to the stop strings, and what the task extracts of it to compare.
  std::string output = {};
  std::string extracted = {};
  // By the task's own comparison (see AnswerCheck), by metric; empty where its file has none.
  std::map<std::string, bool> matches = {};
};

// What an answer may be. Where there is none, the empty one is right.
std::vector<std::string> AcceptedAnswers(const TaskItem& item);

struct TaskMetric {
  absl::string_view name;
  absl::string_view description;
  std::vector<v1::TaskScorer> scorers;
  bool higher_is_better = true;
  // Empty: the value is the mean of the items' scores, of which an item adds one. Else names of what it adds.
  std::vector<absl::string_view> statistics = {};
  ItemStatistics (*measure)(const TaskItem& item, const ItemAnswer& answer);
  // Of all items' statistics; null for means.
  double (*value)(std::span<const ItemStatistics> items) = nullptr;

  bool is_mean() const { return statistics.empty(); }
  bool Serves(v1::TaskScorer scorer) const;
};

// In the order of docs/evaluation.md.
const std::vector<TaskMetric>& TaskMetricTable();
// Null where there is none.
const TaskMetric* FindTaskMetric(absl::string_view name);
// Those that `scorer` serves; all where it is unspecified.
std::vector<std::string> TaskMetricNames(v1::TaskScorer scorer);

// Puts the item's statistics into its `scores`: "acc", or "matthews.prediction" and "matthews.gold".
void AddScores(const TaskMetric& metric, const TaskItem& item, const ItemAnswer& answer, v1::TaskResult::Item& result);

// The items' statistics back from their `scores`.
using ItemPointers = std::span<const v1::TaskResult::Item* const>;
std::vector<ItemStatistics> CollectStatistics(const TaskMetric& metric, ItemPointers items);

// Value and standard error over items (there is one at least): of a mean the sample's, else by bootstrap with a fixed
// seed.
v1::TaskResult::Metric SummarizeMetric(const TaskMetric& metric, ItemPointers items);

// The value alone; `items` is not empty.
double MetricValue(const TaskMetric& metric, std::span<const ItemStatistics> items);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_METRIC_REGISTRY_H_
