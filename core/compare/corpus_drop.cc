#include "core/compare/corpus_drop.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/evaluate/metrics/corpus_metric.h"
#include "core/statistics/bootstrap.h"
#include "core/statistics/distributions.h"

namespace tersor {
namespace {

// What each item adds; empty where one lacks it.
std::vector<ItemStatistics> StatisticsOf(const v1::TaskResult& task, const CorpusMetric& metric) {
  std::vector<std::string> keys;
  for (const absl::string_view statistic : metric.statistics) keys.push_back(absl::StrCat(metric.name, ".", statistic));
  std::vector<ItemStatistics> items;
  for (const v1::TaskResult::Item& item : task.items()) {
    ItemStatistics& values = items.emplace_back();
    for (const std::string& key : keys) {
      const auto found = item.scores().find(key);
      if (found == item.scores().end()) return {};
      values.push_back(found->second);
    }
  }
  return items;
}

double ValueOfDrawn(const CorpusMetric& metric, const std::vector<ItemStatistics>& items,
                    std::span<const uint32_t> drawn, std::vector<ItemStatistics>& sample) {
  for (size_t i = 0; i < drawn.size(); ++i) sample[i] = items[drawn[i]];
  return metric.value(sample);
}

// Half of the width that Tango's interval has where no item flips.
double WithoutFlips(double z, double items) { return z * z / (items + z * z); }

}  // namespace

std::optional<PairedDrop> CorpusDrop(const v1::TaskResult& before, const v1::TaskResult& after,
                                     absl::string_view metric, bool higher_is_better, double confidence) {
  const CorpusMetric* corpus = FindCorpusMetric(metric);
  if (corpus == nullptr || before.items_size() != after.items_size()) return std::nullopt;
  const std::vector<ItemStatistics> first = StatisticsOf(before, *corpus), second = StatisticsOf(after, *corpus);
  if (first.empty() || second.empty()) return std::nullopt;
  const double sign = higher_is_better ? 1 : -1;
  std::vector<ItemStatistics> sample(first.size());
  const auto drop = [&](std::span<const uint32_t> drawn) {
    const double value = ValueOfDrawn(*corpus, first, drawn, sample);
    return sign * (value - ValueOfDrawn(*corpus, second, drawn, sample));
  };
  PairedDrop result;
  result.items = before.items_size();
  result.drop = sign * (corpus->value(first) - corpus->value(second));
  result.standard_error = BootstrapError(BootstrapReplicates(static_cast<uint32_t>(first.size()), drop));
  const double z = TwoSidedNormal(confidence);
  const double half =
      std::hypot(z * result.standard_error, corpus->reach * WithoutFlips(z, static_cast<double>(first.size())));
  // One item has no replicates that differ.
  if (first.size() > 1) result.interval = {result.drop - half, result.drop + half};
  return result;
}

}  // namespace tersor
