#include "core/compare/compared_figures.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/paired_results.h"

namespace tersor {
namespace {

using Value = v1::ComparedModel::Value;

Value Measured(double value, double standard_error = 0) {
  Value result;
  result.set_measured(true);
  result.set_value(value);
  result.set_standard_error(standard_error);
  return result;
}

void SetChange(double change, const Interval& interval, double confidence, Value& value) {
  value.set_change(change);
  value.mutable_change_interval()->set_low(interval.low);
  value.mutable_change_interval()->set_high(interval.high);
  value.mutable_change_interval()->set_confidence(confidence);
}

FigureColumn Column(std::string name, std::string title, v1::FigureKind kind, bool higher_is_better,
                    std::string hash = "") {
  FigureColumn column;
  column.figure.set_name(std::move(name));
  column.figure.set_title(std::move(title));
  column.figure.set_kind(kind);
  column.figure.set_higher_is_better(higher_is_better);
  column.figure.set_hash(std::move(hash));
  return column;
}

bool IsMainScore(const v1::TaskResult* task) {
  const v1::TaskResult::Metric* metric = task == nullptr ? nullptr : FindMetric(*task, "");
  return metric != nullptr && metric->higher_is_better();
}

// Names of tasks in the order in which rows first have them.
std::vector<std::string> TaskNames(const std::vector<ComparedRow>& rows) {
  std::vector<std::string> names;
  for (const ComparedRow& row : rows) {
    for (const ReportSide& side : row.sides) {
      for (const v1::TaskResult& task : side.report->tasks()) {
        if (task.subject() == side.subject && std::find(names.begin(), names.end(), task.task()) == names.end()) {
          names.push_back(task.task());
        }
      }
    }
  }
  return names;
}

// ---- perplexities

struct PerplexityKey {
  std::string dataset;
  std::string convention;
  std::string hash;
  std::string protocol;
};

// A side's perplexities with the conventions that its recipe names, in order.
std::vector<PerplexityKey> PerplexityKeys(const ReportSide& side) {
  std::vector<PerplexityKey> keys;
  for (const v1::PerplexityResult& result : side.report->perplexity()) {
    if (result.subject() != side.subject) continue;
    const auto index = static_cast<int>(keys.size());
    const auto& asked = side.report->recipe().evaluate().perplexity();
    const bool named = index < asked.size() && !asked[index].convention().empty();
    keys.push_back({result.dataset(), named ? asked[index].convention() : "windows", result.hash(), result.protocol()});
  }
  return keys;
}

const v1::PerplexityResult* FindByName(const ComparedRow& row, absl::string_view dataset,
                                       absl::string_view convention) {
  for (const ReportSide& side : row.sides) {
    for (const PerplexityKey& key : PerplexityKeys(side)) {
      if (key.dataset == dataset && key.convention == convention) return side.Perplexity(key.hash);
    }
  }
  return nullptr;
}

FigureColumn PerplexityColumn(const PerplexityKey& key, bool merge) {
  FigureColumn column = Column(absl::StrCat("perplexity[", key.dataset, ":", key.convention, "]"),
                               absl::StrCat("perplexity on ", key.dataset, " (", key.protocol, ")"),
                               v1::FIGURE_KIND_QUALITY, false, merge ? "" : key.hash);
  column.read = [key, merge](const ComparedRow& row, const ComparedRow& reference, double confidence) {
    const auto find = [&](const ComparedRow& one) {
      return merge ? FindByName(one, key.dataset, key.convention) : one.Perplexity(key.hash);
    };
    const v1::PerplexityResult *result = find(row), *before = find(reference);
    if (result == nullptr) return Value();
    Value value = Measured(result->value());
    if (before == nullptr || before == result) return value;
    const auto comparison = ComparePerplexity(*before, *result, confidence);
    if (!comparison.ok()) return value;
    SetChange(comparison->ratio(), {comparison->interval().low(), comparison->interval().high()}, confidence, value);
    return value;
  };
  return column;
}

void AddPerplexities(const std::vector<ComparedRow>& rows, bool merge, std::vector<FigureColumn>& columns) {
  std::set<std::string> seen;
  for (const ComparedRow& row : rows) {
    for (const ReportSide& side : row.sides) {
      for (const PerplexityKey& key : PerplexityKeys(side)) {
        const std::string identity = merge ? absl::StrCat(key.dataset, ":", key.convention) : key.hash;
        if (seen.insert(identity).second) columns.push_back(PerplexityColumn(key, merge));
      }
    }
  }
}

// ---- tasks

FigureColumn TaskColumn(const std::vector<ComparedRow>& rows, const std::string& name, bool merge) {
  const v1::TaskResult* first = nullptr;
  for (const ComparedRow& row : rows) first = first == nullptr ? row.Task(name) : first;
  const v1::TaskResult::Metric* metric = FindMetric(*first, "");
  const std::string metric_name = metric == nullptr ? "" : metric->name();
  FigureColumn column =
      Column(absl::StrCat("task.", name, ".", metric_name), absl::StrCat(name, " ", metric_name),
             v1::FIGURE_KIND_QUALITY, metric != nullptr && metric->higher_is_better(), merge ? "" : first->hash());
  column.read = [name, metric_name](const ComparedRow& row, const ComparedRow& reference, double confidence) {
    const v1::TaskResult *task = row.Task(name), *before = reference.Task(name);
    const v1::TaskResult::Metric* metric = task == nullptr ? nullptr : FindMetric(*task, metric_name);
    if (metric == nullptr) return Value();
    Value value = Measured(metric->value(), metric->standard_error());
    if (before == nullptr || before == task) return value;
    const auto comparison = CompareTask(*before, *task, metric_name, confidence);
    if (!comparison.ok()) return value;
    SetChange(comparison->drop(), {comparison->interval().low(), comparison->interval().high()}, confidence, value);
    value.set_mcnemar_p(comparison->mcnemar_p());
    return value;
  };
  return column;
}

// Over the tasks that every row has, so that the means speak of the same questions.
FigureColumn MeanColumn(const std::vector<std::string>& tasks) {
  FigureColumn column =
      Column("mean_accuracy", absl::StrCat("mean of ", tasks.size(), " tasks"), v1::FIGURE_KIND_QUALITY, true);
  column.read = [tasks](const ComparedRow& row, const ComparedRow& reference, double confidence) {
    double sum = 0, variance = 0;
    std::vector<v1::TaskComparison> comparisons;
    for (const std::string& name : tasks) {
      const v1::TaskResult *task = row.Task(name), *before = reference.Task(name);
      const v1::TaskResult::Metric* metric = FindMetric(*task, "");
      sum += metric->value();
      variance += metric->standard_error() * metric->standard_error();
      if (before == nullptr || before == task) continue;
      auto comparison = CompareTask(*before, *task, "", confidence);
      if (comparison.ok()) comparisons.push_back(*std::move(comparison));
    }
    const auto count = static_cast<double>(tasks.size());
    Value value = Measured(sum / count, std::sqrt(variance) / count);
    if (comparisons.size() == tasks.size()) {
      const MeanDrop mean = CombineDrops(comparisons);
      SetChange(mean.drop, mean.interval, confidence, value);
    }
    return value;
  };
  return column;
}

void AddTasks(const std::vector<ComparedRow>& rows, bool merge, std::vector<FigureColumn>& columns) {
  const std::vector<std::string> names = TaskNames(rows);
  std::vector<std::string> common;
  for (const std::string& name : names) {
    const auto scores = [&](const ComparedRow& row) { return IsMainScore(row.Task(name)); };
    if (std::all_of(rows.begin(), rows.end(), scores)) common.push_back(name);
  }
  if (!common.empty()) columns.push_back(MeanColumn(common));
  for (const std::string& name : names) columns.push_back(TaskColumn(rows, name, merge));
}

// ---- figures without protocol

template <typename Read>
void AddPlain(FigureColumn column, Read read, std::vector<FigureColumn>& columns) {
  column.read = [read](const ComparedRow& row, const ComparedRow&, double) { return read(row); };
  columns.push_back(std::move(column));
}

void AddDivergence(std::vector<FigureColumn>& columns) {
  const auto add = [&](const char* name, const char* title, bool higher,
                       double (v1::DivergenceResult::*field)() const) {
    AddPlain(
        Column(name, title, v1::FIGURE_KIND_QUALITY, higher),
        [field](const ComparedRow& row) {
          if (row.dense || !row.report().has_divergence()) return Value();
          return Measured((row.report().divergence().*field)());
        },
        columns);
  };
  add("kl_mean", "mean KL from the dense model, nats a token", false, &v1::DivergenceResult::kl_mean);
  add("kl_p99", "99th percentile of KL", false, &v1::DivergenceResult::kl_p99);
  add("top1_agreement", "same most likely token as the dense model", true, &v1::DivergenceResult::top1_agreement);
  AddPlain(
      Column("probability_loyalty", "mean of 1 - sqrt(Jensen-Shannon divergence)", v1::FIGURE_KIND_QUALITY, true),
      [](const ComparedRow& row) {
        // Reports of earlier versions have none.
        const double loyalty = row.dense ? 0 : row.report().divergence().probability_loyalty();
        return loyalty > 0 ? Measured(loyalty) : Value();
      },
      columns);
}

void AddSizes(std::vector<FigureColumn>& columns) {
  AddPlain(
      Column("bytes", "bytes of the weights", v1::FIGURE_KIND_SIZE, false),
      [](const ComparedRow& row) {
        const v1::SizeResult& size = row.report().size();
        const int64_t bytes = row.dense ? size.dense_bytes() : size.artifact_bytes();
        return bytes > 0 ? Measured(static_cast<double>(bytes)) : Value();
      },
      columns);
  AddPlain(
      Column("memory_bytes", "bytes of the weights in memory", v1::FIGURE_KIND_SIZE, false),
      [](const ComparedRow& row) {
        const v1::SizeResult& size = row.report().size();
        const int64_t bytes = row.dense ? size.dense_memory_bytes() : size.memory_bytes();
        return bytes > 0 ? Measured(static_cast<double>(bytes)) : Value();
      },
      columns);
  AddPlain(
      Column("size_ratio", "dense bytes at 16 bits / bytes", v1::FIGURE_KIND_SIZE, true),
      [](const ComparedRow& row) {
        if (!row.report().has_size()) return Value();
        return row.dense ? Measured(1) : Measured(row.report().size().ratio());
      },
      columns);
}

const v1::PerformanceResult* Performance(const ComparedRow& row, absl::string_view kind) {
  for (const ReportSide& side : row.sides) {
    for (const v1::PerformanceResult& result : side.report->performance()) {
      if (result.subject() == side.subject && result.kind() == kind && result.tokens_per_second() > 0) return &result;
    }
  }
  return nullptr;
}

void AddSpeeds(std::vector<FigureColumn>& columns) {
  AddPlain(
      Column("decode_ms_per_token", "ms a decoded token", v1::FIGURE_KIND_SPEED, false),
      [](const ComparedRow& row) {
        const v1::PerformanceResult* decode = Performance(row, "decode");
        return decode == nullptr ? Value() : Measured(1000 / decode->tokens_per_second());
      },
      columns);
  AddPlain(
      Column("prefill_tokens_per_second", "prefill tokens/s", v1::FIGURE_KIND_SPEED, true),
      [](const ComparedRow& row) {
        const v1::PerformanceResult* prefill = Performance(row, "prefill");
        return prefill == nullptr ? Value() : Measured(prefill->tokens_per_second());
      },
      columns);
}

// What a row was measured under, by the name of the task or text.
using Protocols = std::map<std::string, std::set<std::string>>;

Protocols ProtocolsOf(const ComparedRow& row) {
  Protocols protocols;
  for (const ReportSide& side : row.sides) {
    for (const PerplexityKey& key : PerplexityKeys(side)) {
      protocols[absl::StrCat("perplexity on ", key.dataset, " (", key.convention, ")")].insert(key.hash);
    }
    for (const v1::TaskResult& task : side.report->tasks()) {
      if (task.subject() == side.subject) protocols[absl::StrCat("task ", task.task())].insert(task.hash());
    }
  }
  return protocols;
}

bool Share(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& hash) { return b.count(hash) > 0; });
}

}  // namespace

std::vector<FigureColumn> FigureColumns(const std::vector<ComparedRow>& rows, bool merge) {
  std::vector<FigureColumn> columns;
  AddTasks(rows, merge, columns);
  AddPerplexities(rows, merge, columns);
  AddDivergence(columns);
  AddSizes(columns);
  AddSpeeds(columns);
  std::erase_if(columns, [&](const FigureColumn& column) {
    return std::none_of(rows.begin(), rows.end(),
                        [&](const ComparedRow& row) { return column.read(row, row, 0.95).measured(); });
  });
  return columns;
}

std::vector<std::string> ProtocolConflicts(const std::vector<ComparedRow>& rows) {
  std::vector<std::string> conflicts;
  std::map<std::string, std::pair<const ComparedRow*, std::set<std::string>>> first;
  for (const ComparedRow& row : rows) {
    // A dense original's figures come from the very reports that the other rows stand for.
    if (row.dense) continue;
    for (const auto& [name, hashes] : ProtocolsOf(row)) {
      const auto [it, inserted] = first.try_emplace(name, &row, hashes);
      if (inserted || Share(it->second.second, hashes)) continue;
      conflicts.push_back(absl::StrCat(name, ": ", it->second.first->label, " has protocol ",
                                       it->second.second.begin()->substr(0, 12), ", ", row.label, " has ",
                                       hashes.begin()->substr(0, 12)));
    }
  }
  return conflicts;
}

}  // namespace tersor
