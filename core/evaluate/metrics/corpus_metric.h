// Metrics of a set that are no mean of its items: what each item adds, and the value of them all.
#ifndef TERSOR_CORE_EVALUATE_METRICS_CORPUS_METRIC_H_
#define TERSOR_CORE_EVALUATE_METRICS_CORPUS_METRIC_H_

#include <span>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor {

// What one item adds, in the order of CorpusMetric::statistics.
using ItemStatistics = std::vector<double>;

struct CorpusMetric {
  absl::string_view name;
  std::vector<absl::string_view> statistics;
  // Of one item or more.
  double (*value)(std::span<const ItemStatistics> items);
  // How far the value moves where a share of the items turns from right to wrong, as a multiple of that share; 0 where
  // items are not right or wrong.
  double reach = 0;
};

// "matthews", "f1_binary", "f1_macro", "pearson", "spearman", "perplexity", "byte_perplexity", "entity_f1"; null for
// others.
const CorpusMetric* FindCorpusMetric(absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_METRICS_CORPUS_METRIC_H_
