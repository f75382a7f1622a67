#include "core/evaluate/gate_power.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/warning.h"
#include "core/evaluate/gate_metrics.h"
#include "core/evaluate/gate_selection.h"
#include "core/evaluate/gates.h"
#include "core/evaluate/metrics/corpus_metric.h"
#include "core/statistics/distributions.h"
#include "core/statistics/power.h"
#include "core/statistics/sequential.h"

namespace tersor {
namespace {

constexpr double kPower = 0.8;
constexpr double kOftenUndecided = 0.5;
constexpr double kNearlyAlwaysUndecided = 0.3;

// The items of several tasks that weigh equally in a mean.
struct Sample {
  int64_t items = 0;
  // As many items of one task would give the mean's variance.
  double effective = 0;
  double seconds = 0;
  int tasks = 0;
  // Items of all tasks together at each look.
  std::vector<int64_t> looks;
  // "matthews of cola": what has no spread that could be told from the number of items.
  std::vector<std::string> unknown;
  // Some metric's items may be partly right.
  bool graded = false;
  // Items of the whole sets; 0 where one of them is not known.
  int64_t available = 0;
};

// Of the metrics that are means of items, those whose items are right or wrong.
bool RightOrWrongMetric(absl::string_view metric) {
  constexpr absl::string_view kMetrics[] = {
      "acc",          "acc_norm",         "acc_bytes",    "choice_em",        "p@1", "p@10", "exact_match",
      "strict-match", "flexible-extract", "number_match", "last_number_match"};
  return std::find(std::begin(kMetrics), std::end(kMetrics), metric) != std::end(kMetrics);
}

void AddMetric(const Gate& gate, const PlannedEvidence::Task& task, Sample& sample) {
  const std::string& metric = gate.task_metric.empty() ? task.metric : gate.task_metric;
  if (FindCorpusMetric(metric) != nullptr) sample.unknown.push_back(absl::StrCat(metric, " of ", task.name));
  sample.graded |= !RightOrWrongMetric(metric);
}

// Each task goes on by itself: it doubles its items until it has no more.
void AddLooks(const PlannedEvidence::Task& task, std::vector<int64_t>& looks) {
  const std::vector<int64_t> own = DoublingLooks(task.first > 0 ? task.first : task.items, task.items);
  const int64_t before = looks.empty() ? 0 : looks.back();
  if (looks.empty()) looks.push_back(0);
  looks.resize(std::max(looks.size(), own.size()), before);
  for (size_t i = 0; i < looks.size(); ++i) looks[i] += own[std::min(i, own.size() - 1)];
}

// What the last look's interval must be made with, so that all looks together hold `confidence`.
double LastConfidence(const std::vector<int64_t>& looks, double confidence) {
  if (looks.size() < 2) return confidence;
  std::vector<double> shares;
  for (const int64_t count : looks) shares.push_back(static_cast<double>(count) / static_cast<double>(looks.back()));
  return RepeatedConfidence(shares, confidence);
}

bool Counts(const Gate& gate, const PlannedEvidence::Task& task) {
  if (gate.entry->scope == GateScope::kTask) return task.name == gate.subject;
  if (gate.entry->scope == GateScope::kAbility && task.ability != gate.subject) return false;
  return task.higher_is_better;
}

// Without `goes_on` the items of the first look are all there will be.
Sample SampleOf(const Gate& gate, const PlannedEvidence& evidence, bool goes_on) {
  Sample sample;
  double inverse = 0;
  for (PlannedEvidence::Task task : evidence.tasks) {
    if (!Counts(gate, task) || task.items <= 0) continue;
    if (!goes_on && task.first > 0) {
      task.seconds *= static_cast<double>(task.first) / static_cast<double>(task.items);
      task.items = task.first;
    }
    sample.items += task.items;
    sample.seconds += task.seconds;
    inverse += 1.0 / static_cast<double>(task.items);
    const bool known = task.available > 0 && (sample.tasks == 0 || sample.available > 0);
    sample.available = known ? sample.available + task.available : 0;
    ++sample.tasks;
    AddMetric(gate, task, sample);
    AddLooks(task, sample.looks);
    // Of several forms of one task a gate is about the first.
    if (gate.entry->scope == GateScope::kTask) break;
  }
  if (inverse > 0) sample.effective = sample.tasks * sample.tasks / inverse;
  return sample;
}

std::string TimeText(double seconds) {
  if (seconds < 90) return absl::StrFormat("%.0f s", seconds);
  if (seconds < 2 * 3600) return absl::StrFormat("%.0f min", std::ceil(seconds / 60));
  if (seconds < 2 * 86400) return absl::StrFormat("%.0f hours", std::ceil(seconds / 3600));
  return absl::StrFormat("%.0f days", std::ceil(seconds / 86400));
}

// `available`: 0 where it is not known.
std::string NeedText(const v1::GatePower& power, int64_t available) {
  if (power.needed() <= 0) return "no number of them decides a gate that allows no loss at all";
  std::string text = absl::StrCat("it needs about ", power.needed(), " (", TimeText(power.needed_seconds()), ")");
  if (available > 0 && power.needed() > available) absl::StrAppend(&text, ", more than the ", available, " there are");
  return text;
}

// What Describe's text ends with.
absl::string_view NeedOf(const v1::GatePower& power) {
  const absl::string_view text = power.text();
  return text.substr(text.rfind("; ") + 2);
}

// "a drop of 0.044", "no drop".
std::string DropText(double detectable) {
  return detectable < 1 ? absl::StrFormat("a drop of %.3g", detectable) : "no drop";
}

void Describe(absl::string_view found, absl::string_view assumption, int64_t available, v1::GatePower& power) {
  power.set_text(absl::StrCat(power.count(), " ", power.unit(), " find ", found, " with probability 0.8 (", assumption,
                              "); where nothing was lost the gate is decided in ",
                              absl::StrFormat("%.0f", 100 * power.decided()), " % of runs; ",
                              NeedText(power, available)));
}

// Both have the same variance.
std::string Assumption(const Sample& sample) {
  const std::string flips = absl::StrFormat("%.0f %% of answers change", 100 * kAssumedFlips);
  if (!sample.graded) return absl::StrCat("assuming that ", flips);
  return absl::StrCat("assuming that scores of answers change by a standard deviation of ",
                      absl::StrFormat("%.2g", std::sqrt(kAssumedFlips)), ", as where ", flips,
                      " from right to wrong or back");
}

// What the interval will be depends on the answers themselves.
v1::GatePower UnknownPower(const Sample& sample, v1::GatePower power) {
  power.set_text(
      absl::StrCat(power.count(), " items; how small a drop they find cannot be told before they have been answered: ",
                   absl::StrJoin(sample.unknown, ", "), sample.unknown.size() == 1 ? " is" : " are",
                   " no mean of items, and the spread depends on the answers. The report shows the interval; "
                   "on_inconclusive: extend goes on until it decides"));
  return power;
}

std::optional<v1::GatePower> DropPower(const Gate& gate, const v1::Recipe& recipe, double confidence,
                                       const PlannedEvidence& evidence) {
  // Earlier jobs have no more items than they have.
  const Sample sample = SampleOf(gate, evidence, BaselineOf(gate, recipe).empty());
  if (sample.items == 0) return std::nullopt;
  const PowerQuestion question = {.confidence = LastConfidence(sample.looks, confidence), .power = kPower};
  const auto effective = static_cast<int64_t>(sample.effective);
  v1::GatePower power;
  power.set_gate(gate.expression);
  power.set_count(sample.items);
  power.set_unit("items");
  if (!sample.unknown.empty()) return UnknownPower(sample, std::move(power));
  power.set_detectable(DetectableDrop(effective, question));
  const double margin = std::abs(gate.limit);
  if (margin > 0 && margin < 1) {
    const double spread = static_cast<double>(sample.items) / sample.effective;
    power.set_needed(static_cast<int64_t>(std::ceil(spread * static_cast<double>(ItemsNeeded(margin, question)))));
    power.set_needed_seconds(sample.seconds / static_cast<double>(sample.items) * static_cast<double>(power.needed()));
    power.set_decided(DecisionProbability(effective, margin, question));
  }
  Describe(DropText(power.detectable()), Assumption(sample), sample.available, power);
  if (sample.looks.size() > 1) {
    power.set_text(absl::StrCat("going on from ", sample.looks.front(), " items in ", sample.looks.size(), " looks, ",
                                power.text()));
  }
  return power;
}

std::optional<v1::GatePower> RatioPower(const Gate& gate, const v1::Recipe& recipe, double confidence,
                                        const PlannedEvidence& evidence) {
  const std::vector<int> selected = SelectedPerplexities(gate, recipe);
  if (selected.size() != 1 || selected[0] >= static_cast<int>(evidence.texts.size())) return std::nullopt;
  PlannedEvidence::Text text = evidence.texts[selected[0]];
  if (text.blocks <= 0 || !(gate.limit > 0)) return std::nullopt;
  std::vector<int64_t> looks;
  if (text.first > 0 && BaselineOf(gate, recipe).empty()) {
    looks = DoublingLooks(text.first, text.blocks);
    confidence = LastConfidence(looks, confidence);
  } else if (text.first > 0) {
    // Earlier jobs have no more windows than they have.
    text.seconds *= static_cast<double>(text.first) / static_cast<double>(text.blocks);
    text.blocks = text.first;
  }
  v1::GatePower power;
  power.set_gate(gate.expression);
  power.set_count(text.blocks);
  power.set_unit("blocks of text");
  power.set_detectable(std::expm1(DetectableDifference(text.blocks, kAssumedBlockDeviation, confidence, kPower)));
  const double margin = std::abs(std::log(gate.limit));
  if (margin > 0) {
    power.set_needed(UnitsNeeded(margin, kAssumedBlockDeviation, confidence, kPower));
    power.set_needed_seconds(text.seconds / static_cast<double>(text.blocks) * static_cast<double>(power.needed()));
    power.set_decided(NormalCdf(margin * std::sqrt(static_cast<double>(text.blocks)) / kAssumedBlockDeviation -
                                TwoSidedNormal(confidence)));
  }
  Describe(absl::StrFormat("a change of %.2g %%", 100 * power.detectable()),
           absl::StrFormat("assuming that blocks differ by %.2g nats a token", kAssumedBlockDeviation), 0, power);
  if (looks.size() > 1) {
    power.set_text(
        absl::StrCat("going on from ", looks.front(), " blocks in ", looks.size(), " looks, ", power.text()));
  }
  return power;
}

}  // namespace

std::vector<v1::GatePower> PowerOfGates(const v1::Recipe& recipe, const PlannedEvidence& evidence) {
  std::vector<v1::GatePower> powers;
  const double confidence = GateConfidence(recipe);
  for (const std::string& expression : recipe.gates()) {
    const absl::StatusOr<Gate> gate = ParseGate(expression);
    if (!gate.ok() || !gate->entry->comparative) continue;
    std::optional<v1::GatePower> power = gate->entry->scope == GateScope::kPerplexity
                                             ? RatioPower(*gate, recipe, confidence, evidence)
                                             : DropPower(*gate, recipe, confidence, evidence);
    if (power.has_value()) powers.push_back(*std::move(power));
  }
  return powers;
}

bool IsUnknown(const v1::GatePower& power) { return power.detectable() == 0; }

std::vector<v1::Warning> PowerWarnings(const std::vector<v1::GatePower>& powers) {
  std::vector<v1::Warning> warnings;
  for (const v1::GatePower& power : powers) {
    if (IsUnknown(power) || power.decided() >= kOftenUndecided) continue;
    warnings.push_back(MakeWarning(
        "UNDERPOWERED_GATE",
        absl::StrCat("\"", power.gate(), "\" would ",
                     power.decided() < kNearlyAlwaysUndecided ? "nearly always" : "often",
                     " be inconclusive, even where nothing was lost: ", power.count(), " ", power.unit(), " resolve ",
                     power.detectable() < 1 ? absl::StrFormat("%.2g", power.detectable()) : "no drop at all", "; ",
                     NeedOf(power)),
        power.gate()));
  }
  return warnings;
}

}  // namespace tersor
