#include "core/evaluate/tasks/metric_registry.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/evaluate/metrics/answer_text.h"
#include "core/evaluate/metrics/entity_match.h"
#include "core/evaluate/metrics/rouge.h"
#include "core/statistics/bootstrap.h"

namespace tersor {
namespace {

// The first of the largest values, as numpy's argmax.
int Largest(const std::vector<double>& values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

bool IsGold(const TaskItem& item, int choice) { return std::binary_search(item.gold.begin(), item.gold.end(), choice); }

template <typename Length>
int LargestPer(const TaskItem& item, const ItemAnswer& answer, Length length) {
  std::vector<double> scaled = answer.log_likelihoods;
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] /= std::max<double>(length(item.choices[i]), 1);
  return Largest(scaled);
}

ItemStatistics Accuracy(const TaskItem& item, const ItemAnswer& answer) {
  if (item.choices.empty()) return {answer.greedy[0] ? 1.0 : 0.0};
  return {IsGold(item, Largest(answer.log_likelihoods)) ? 1.0 : 0.0};
}

ItemStatistics AccuracyPerCharacter(const TaskItem& item, const ItemAnswer& answer) {
  return {IsGold(item, LargestPer(item, answer, CodePoints)) ? 1.0 : 0.0};
}

ItemStatistics AccuracyPerByte(const TaskItem& item, const ItemAnswer& answer) {
  const auto bytes = [](absl::string_view text) { return text.size(); };
  return {IsGold(item, LargestPer(item, answer, bytes)) ? 1.0 : 0.0};
}

ItemStatistics TrueMass(const TaskItem& item, const ItemAnswer& answer) {
  const std::vector<double>& values = answer.log_likelihoods;
  const double most = *std::max_element(values.begin(), values.end());
  double right = 0, all = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double mass = std::exp(values[i] - most);
    all += mass;
    if (IsGold(item, static_cast<int>(i))) right += mass;
  }
  return {right / all};
}

ItemStatistics ClassPair(const TaskItem& item, const ItemAnswer& answer) {
  return {static_cast<double>(Largest(answer.log_likelihoods)), static_cast<double>(item.gold.front())};
}

// The mean of the choices, read as numbers, under their probabilities; against the target.
ItemStatistics ExpectedNumber(const TaskItem& item, const ItemAnswer& answer) {
  const std::vector<double>& values = answer.log_likelihoods;
  const double most = *std::max_element(values.begin(), values.end());
  double sum = 0, all = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double mass = std::exp(values[i] - most);
    all += mass;
    sum += mass * ParseNumber(item.choices[i]).value_or(static_cast<double>(i));
  }
  const double gold =
      ParseNumber(item.target).value_or(ParseNumber(item.choices[item.gold.front()]).value_or(item.gold.front()));
  return {sum / all, gold};
}

std::vector<std::string> RightChoices(const TaskItem& item) {
  std::vector<std::string> right;
  for (const int gold : item.gold) right.push_back(item.choices[gold]);
  return right;
}

ItemStatistics ChoiceF1(const TaskItem& item, const ItemAnswer& answer) {
  return {TokenF1(item.choices[Largest(answer.log_likelihoods)], RightChoices(item))};
}

ItemStatistics ChoiceMatch(const TaskItem& item, const ItemAnswer& answer) {
  return {ExactMatch(item.choices[Largest(answer.log_likelihoods)], RightChoices(item))};
}

ItemStatistics TargetNll(const TaskItem&, const ItemAnswer& answer) { return {-answer.log_likelihoods[0]}; }

ItemStatistics TargetNllAndBytes(const TaskItem& item, const ItemAnswer& answer) {
  return {-answer.log_likelihoods[0], static_cast<double>(item.target.size())};
}

ItemStatistics FirstRank(const TaskItem&, const ItemAnswer& answer) { return {answer.rank == 1 ? 1.0 : 0.0}; }
ItemStatistics TenthRank(const TaskItem&, const ItemAnswer& answer) { return {answer.rank <= 10 ? 1.0 : 0.0}; }
ItemStatistics ReciprocalRank(const TaskItem&, const ItemAnswer& answer) { return {1.0 / answer.rank}; }

// Of cloze, whether greedy decoding gives one of the continuations; else by the task's comparison, or SQuAD's.
ItemStatistics AnswerMatch(const TaskItem& item, const ItemAnswer& answer) {
  if (!item.continuations.empty())
    return {std::find(answer.greedy.begin(), answer.greedy.end(), true) != answer.greedy.end() ? 1.0 : 0.0};
  if (const auto own = answer.matches.find("exact_match"); own != answer.matches.end())
    return {own->second ? 1.0 : 0.0};
  return {ExactMatch(answer.extracted, AcceptedAnswers(item))};
}

ItemStatistics StrictMatch(const TaskItem&, const ItemAnswer& answer) {
  return {answer.matches.at("strict-match") ? 1.0 : 0.0};
}

ItemStatistics FlexibleExtract(const TaskItem&, const ItemAnswer& answer) {
  return {answer.matches.at("flexible-extract") ? 1.0 : 0.0};
}

ItemStatistics AnswerF1(const TaskItem& item, const ItemAnswer& answer) {
  return {TokenF1(answer.extracted, AcceptedAnswers(item))};
}

double IsRightNumber(const TaskItem& item, absl::string_view text) {
  const std::optional<double> number = ParseNumber(text);
  return number.has_value() && std::any_of(item.answers.begin(), item.answers.end(),
                                           [&](const std::string& answer) { return ParseNumber(answer) == number; });
}

ItemStatistics NumberMatch(const TaskItem& item, const ItemAnswer& answer) {
  return {IsRightNumber(item, answer.extracted)};
}

ItemStatistics LastNumberMatch(const TaskItem& item, const ItemAnswer& answer) {
  return {IsRightNumber(item, ExtractNumber(answer.output, ""))};
}

template <typename Score>
ItemStatistics BestOf(const TaskItem& item, const ItemAnswer& answer, Score score) {
  double best = score(answer.output, item.target);
  for (const std::string& reference : item.answers) best = std::max(best, score(answer.output, reference));
  return {best};
}

ItemStatistics Rouge1(const TaskItem& item, const ItemAnswer& answer) {
  return BestOf(item, answer,
                [](const std::string& text, const std::string& target) { return RougeN(text, target, 1); });
}
ItemStatistics Rouge2(const TaskItem& item, const ItemAnswer& answer) {
  return BestOf(item, answer,
                [](const std::string& text, const std::string& target) { return RougeN(text, target, 2); });
}
ItemStatistics RougeLongest(const TaskItem& item, const ItemAnswer& answer) {
  return BestOf(item, answer, [](const std::string& text, const std::string& target) { return RougeL(text, target); });
}

ItemStatistics Entities(const TaskItem& item, const ItemAnswer& answer) {
  const EntityCounts counts = CountEntities(answer.output, item.answers);
  return {counts.right, counts.predicted, counts.gold};
}

double ColumnSum(std::span<const ItemStatistics> items, size_t column) {
  double sum = 0;
  for (const ItemStatistics& item : items) sum += item[column];
  return sum;
}

// The deviation of the value over samples of items drawn with replacement.
double ResampledError(const TaskMetric& metric, std::span<const ItemStatistics> items) {
  std::vector<ItemStatistics> sample(items.size());
  const auto value = [&](std::span<const uint32_t> drawn) {
    for (size_t i = 0; i < drawn.size(); ++i) sample[i] = items[drawn[i]];
    return metric.value(sample);
  };
  return BootstrapError(BootstrapReplicates(static_cast<uint32_t>(items.size()), value));
}

double MeanError(std::span<const ItemStatistics> items) {
  const double count = static_cast<double>(items.size());
  const double mean = ColumnSum(items, 0) / count;
  double squares = 0;
  for (const ItemStatistics& item : items) squares += (item[0] - mean) * (item[0] - mean);
  return std::sqrt(squares / (count - 1) / count);
}

TaskMetric OfCorpus(absl::string_view name, absl::string_view description, std::vector<v1::TaskScorer> scorers,
                    bool higher_is_better, ItemStatistics (*measure)(const TaskItem& item, const ItemAnswer& answer)) {
  const CorpusMetric& corpus = *FindCorpusMetric(name);
  return {name, description, std::move(scorers), higher_is_better, corpus.statistics, measure, corpus.value};
}

std::string ScoreKey(const TaskMetric& metric, size_t statistic) {
  return metric.is_mean() ? std::string(metric.name) : absl::StrCat(metric.name, ".", metric.statistics[statistic]);
}

}  // namespace

std::vector<std::string> AcceptedAnswers(const TaskItem& item) {
  return item.answers.empty() ? std::vector<std::string>{""} : item.answers;
}

const std::vector<TaskMetric>& TaskMetricTable() {
  constexpr v1::TaskScorer kChoices = v1::TASK_SCORER_CHOICES, kCloze = v1::TASK_SCORER_CLOZE,
                           kFirst = v1::TASK_SCORER_FIRST_TOKEN, kGenerate = v1::TASK_SCORER_GENERATE;
  static const auto& table = *new std::vector<TaskMetric>{
      {"acc",
       "share of items whose likeliest choice is right; of cloze: whose target is what greedy decoding gives",
       {kChoices, kCloze},
       true,
       {},
       Accuracy},
      {"acc_norm",
       "the same, log-likelihoods divided by the choice's length in characters",
       {kChoices},
       true,
       {},
       AccuracyPerCharacter},
      {"acc_bytes", "the same, divided by its length in UTF-8 bytes", {kChoices}, true, {}, AccuracyPerByte},
      {"mc2", "probability mass on the right choices", {kChoices}, true, {}, TrueMass},
      {"choice_f1", "F1 of the words of the likeliest choice against the right ones", {kChoices}, true, {}, ChoiceF1},
      {"choice_em",
       "share of items whose likeliest choice equals a right one, normalised",
       {kChoices},
       true,
       {},
       ChoiceMatch},
      OfCorpus("matthews", "Matthews correlation of the likeliest choice", {kChoices}, true, ClassPair),
      OfCorpus("f1_binary", "F1 of the second choice", {kChoices}, true, ClassPair),
      OfCorpus("f1_macro", "mean F1 of the choices", {kChoices}, true, ClassPair),
      OfCorpus("pearson", "correlation of the expected number with the target", {kChoices}, true, ExpectedNumber),
      OfCorpus("spearman", "the same of ranks", {kChoices}, true, ExpectedNumber),
      OfCorpus("perplexity", "exp of the targets' mean negative log-likelihood", {kCloze, kFirst}, false, TargetNll),
      OfCorpus("byte_perplexity", "the same per byte of target", {kCloze}, false, TargetNllAndBytes),
      {"p@1", "share of items whose target's first token is the likeliest", {kFirst}, true, {}, FirstRank},
      {"p@10", "share of items whose target's first token is among the ten likeliest", {kFirst}, true, {}, TenthRank},
      {"mrr", "mean reciprocal rank of the target's first token", {kFirst}, true, {}, ReciprocalRank},
      {"exact_match",
       "share of answers that equal an accepted one, compared as the task says; of cloze: of items of which greedy "
       "decoding gives one",
       {kGenerate, kCloze},
       true,
       {},
       AnswerMatch},
      {"strict-match", "exact_match of what the task's filter of this name finds", {kGenerate}, true, {}, StrictMatch},
      {"flexible-extract", "the same of the filter of this name", {kGenerate}, true, {}, FlexibleExtract},
      {"f1", "mean F1 of the answer's words, normalised", {kGenerate}, true, {}, AnswerF1},
      {"number_match", "share of answers whose number is the right one", {kGenerate}, true, {}, NumberMatch},
      {"last_number_match",
       "share of answers whose last number is the right one",
       {kGenerate},
       true,
       {},
       LastNumberMatch},
      OfCorpus("entity_f1", "micro F1 of the entities listed", {kGenerate}, true, Entities),
      {"rouge1", "F1 of words in common with the target", {kGenerate}, true, {}, Rouge1},
      {"rouge2", "F1 of pairs of words in common", {kGenerate}, true, {}, Rouge2},
      {"rougeL", "F1 of the longest common subsequence of words", {kGenerate}, true, {}, RougeLongest},
  };
  return table;
}

bool TaskMetric::Serves(v1::TaskScorer scorer) const {
  return std::find(scorers.begin(), scorers.end(), scorer) != scorers.end();
}

const TaskMetric* FindTaskMetric(absl::string_view name) {
  const std::vector<TaskMetric>& table = TaskMetricTable();
  const auto found = std::find_if(table.begin(), table.end(), [&](const TaskMetric& one) { return one.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::string> TaskMetricNames(v1::TaskScorer scorer) {
  std::vector<std::string> names;
  for (const TaskMetric& metric : TaskMetricTable()) {
    if (scorer == v1::TASK_SCORER_UNSPECIFIED || metric.Serves(scorer)) names.emplace_back(metric.name);
  }
  return names;
}

void AddScores(const TaskMetric& metric, const TaskItem& item, const ItemAnswer& answer, v1::TaskResult::Item& result) {
  ItemStatistics values = metric.measure(item, answer);
  // Of what is no number none is the largest: the item says nothing, which a mean of its like must not hide.
  const bool nothing = std::any_of(answer.log_likelihoods.begin(), answer.log_likelihoods.end(),
                                   [](double value) { return std::isnan(value); });
  if (nothing) values.assign(values.size(), std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < values.size(); ++i) (*result.mutable_scores())[ScoreKey(metric, i)] = values[i];
}

std::vector<ItemStatistics> CollectStatistics(const TaskMetric& metric, ItemPointers items) {
  const size_t width = std::max<size_t>(metric.statistics.size(), 1);
  std::vector<ItemStatistics> collected;
  collected.reserve(items.size());
  for (const v1::TaskResult::Item* item : items) {
    ItemStatistics& values = collected.emplace_back(width, 0.0);
    for (size_t i = 0; i < width; ++i) {
      const auto found = item->scores().find(ScoreKey(metric, i));
      if (found != item->scores().end()) values[i] = found->second;
    }
  }
  return collected;
}

double MetricValue(const TaskMetric& metric, std::span<const ItemStatistics> items) {
  return metric.is_mean() ? ColumnSum(items, 0) / static_cast<double>(items.size()) : metric.value(items);
}

v1::TaskResult::Metric SummarizeMetric(const TaskMetric& metric, ItemPointers items) {
  const std::vector<ItemStatistics> collected = CollectStatistics(metric, items);
  v1::TaskResult::Metric result;
  result.set_name(std::string(metric.name));
  result.set_value(MetricValue(metric, collected));
  if (collected.size() > 1) {
    result.set_standard_error(metric.is_mean() ? MeanError(collected) : ResampledError(metric, collected));
  }
  result.set_higher_is_better(metric.higher_is_better);
  result.set_count(static_cast<int64_t>(collected.size()));
  return result;
}

}  // namespace tersor
