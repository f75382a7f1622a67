#include "core/evaluate/metrics/corpus_metric.h"

#include <algorithm>
#include <cmath>

#include "core/evaluate/metrics/correlation.h"
#include "core/evaluate/metrics/entity_match.h"

namespace tersor {
namespace {

using Items = std::span<const ItemStatistics>;

std::vector<double> Column(Items items, size_t column) {
  std::vector<double> values;
  values.reserve(items.size());
  for (const ItemStatistics& item : items) values.push_back(item[column]);
  return values;
}

double Sum(Items items, size_t column) {
  double sum = 0;
  for (const ItemStatistics& item : items) sum += item[column];
  return sum;
}

double Matthews(Items items) { return MatthewsCorrelation(Column(items, 0), Column(items, 1)); }
double PositiveF1(Items items) { return ClassF1(Column(items, 0), Column(items, 1), 1); }
double MeanF1(Items items) { return MacroF1(Column(items, 0), Column(items, 1)); }
double Pearson(Items items) { return PearsonCorrelation(Column(items, 0), Column(items, 1)); }
double Spearman(Items items) { return SpearmanCorrelation(Column(items, 0), Column(items, 1)); }
double Perplexity(Items items) { return std::exp(Sum(items, 0) / static_cast<double>(items.size())); }
double BytePerplexity(Items items) { return std::exp(Sum(items, 0) / std::max(Sum(items, 1), 1.0)); }
double Entities(Items items) { return EntityF1({Sum(items, 0), Sum(items, 1), Sum(items, 2)}); }

// Not a number where one of the items' statistics is none: classes and ranks would hide it.
template <double (*kValue)(Items)>
double OfNumbers(Items items) {
  for (const ItemStatistics& item : items) {
    for (const double value : item) {
      if (std::isnan(value)) return value;
    }
  }
  return kValue(items);
}

// Matthews' of two classes of equal size is twice the accuracy less one.
const std::vector<CorpusMetric>& Table() {
  static const auto& table = *new std::vector<CorpusMetric>{
      {"matthews", {"prediction", "gold"}, OfNumbers<Matthews>, 2},
      {"f1_binary", {"prediction", "gold"}, OfNumbers<PositiveF1>, 1},
      {"f1_macro", {"prediction", "gold"}, OfNumbers<MeanF1>, 1},
      {"pearson", {"prediction", "gold"}, OfNumbers<Pearson>},
      {"spearman", {"prediction", "gold"}, OfNumbers<Spearman>},
      {"perplexity", {"nll"}, OfNumbers<Perplexity>},
      {"byte_perplexity", {"nll", "bytes"}, OfNumbers<BytePerplexity>},
      {"entity_f1", {"right", "predicted", "gold"}, OfNumbers<Entities>, 1},
  };
  return table;
}

}  // namespace

const CorpusMetric* FindCorpusMetric(absl::string_view name) {
  const auto found =
      std::find_if(Table().begin(), Table().end(), [&](const CorpusMetric& one) { return one.name == name; });
  return found == Table().end() ? nullptr : &*found;
}

}  // namespace tersor
