#include "core/evaluate/tasks/task_runner.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/stopwatch.h"
#include "core/evaluate/tasks/answer_check.h"

namespace tersor {
namespace {

// Asks the model what the store does not know.
class Asking {
 public:
  Asking(const LoadedTask& task, const std::vector<EncodedItem>& items, const TaskModel& model, AnswerStore& store,
         const EvaluateContext& context)
      : task_(task), items_(items), model_(model), store_(store), context_(context) {}

  // Indices of the items that the store does not know. Equal items are asked once.
  std::vector<size_t> Unknown() const;
  absl::Status Ask(const std::vector<size_t>& unknown) { return Generates(task_) ? Generate(unknown) : Score(unknown); }

 private:
  absl::Status Score(const std::vector<size_t>& unknown);
  absl::Status Generate(const std::vector<size_t>& unknown);
  absl::Status Keep(const EncodedItem& item, StoredAnswer answer);
  // Progress is ours: items, not requests.
  EvaluateContext Inner() const { return {.cancellation = context_.cancellation}; }

  const LoadedTask& task_;
  const std::vector<EncodedItem>& items_;
  const TaskModel& model_;
  AnswerStore& store_;
  const EvaluateContext& context_;
  int64_t done_ = 0;
};

std::vector<size_t> Asking::Unknown() const {
  std::vector<size_t> unknown;
  std::map<absl::string_view, size_t> seen;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (store_.Find(items_[i].key) == nullptr && seen.emplace(items_[i].key, i).second) unknown.push_back(i);
  }
  return unknown;
}

absl::Status Asking::Keep(const EncodedItem& item, StoredAnswer answer) {
  TERSOR_RETURN_IF_ERROR(store_.Add(item.key, std::move(answer)));
  context_.Report(++done_, static_cast<int64_t>(items_.size()));
  return absl::OkStatus();
}

absl::Status Asking::Score(const std::vector<size_t>& unknown) {
  // Requests of an item stand together; each is told once.
  std::vector<ContinuationRequest> requests;
  std::vector<size_t> owner, place;
  std::vector<StoredAnswer> answers(unknown.size());
  std::vector<size_t> missing(unknown.size());
  for (size_t u = 0; u < unknown.size(); ++u) {
    const EncodedItem& item = items_[unknown[u]];
    missing[u] = item.requests.size();
    answers[u].answer.log_likelihoods.resize(item.requests.size());
    answers[u].answer.greedy.resize(item.requests.size());
    for (size_t i = 0; i < item.requests.size(); ++i) {
      requests.push_back(item.requests[i]);
      owner.push_back(u);
      place.push_back(i);
    }
  }
  done_ = static_cast<int64_t>(items_.size() - unknown.size());
  ContinuationOptions options;
  options.rank_first = task_.definition.scorer() == v1::TASK_SCORER_FIRST_TOKEN;
  options.on_score = [&](int64_t index, const ContinuationScore& score) -> absl::Status {
    const size_t u = owner[index];
    StoredAnswer& stored = answers[u];
    stored.answer.log_likelihoods[place[index]] = score.log_likelihood;
    stored.answer.greedy[place[index]] = score.greedy;
    if (options.rank_first) stored.answer.rank = score.first_rank + 1;
    stored.truncated |= score.dropped > 0;
    if (--missing[u] > 0) return absl::OkStatus();
    return Keep(items_[unknown[u]], std::move(stored));
  };
  return model_.score(requests, options, Inner()).status();
}

absl::Status Asking::Generate(const std::vector<size_t>& unknown) {
  std::vector<std::vector<int32_t>> prompts;
  for (const size_t i : unknown) prompts.push_back(items_[i].prompt);
  done_ = static_cast<int64_t>(items_.size() - unknown.size());
  const v1::GenerationSettings& settings = task_.definition.generate();
  BatchGenerateOptions options;
  options.max_tokens = settings.max_tokens();
  options.stops.assign(settings.stop().begin(), settings.stop().end());
  options.on_text = [&](int64_t index, const GeneratedText& text) {
    StoredAnswer stored;
    stored.answer.output = text.text;
    stored.truncated = text.dropped > 0;
    return Keep(items_[unknown[index]], std::move(stored));
  };
  return model_.generate(prompts, options, Inner()).status();
}

absl::Status FillItem(const LoadedTask& task, const AnswerCheck& check, const TaskItem& item,
                      const StoredAnswer& stored, v1::TaskResult::Item& result) {
  ItemAnswer answer = stored.answer;
  if (Generates(task)) {
    TERSOR_RETURN_IF_ERROR(Annotate(check.Read(item, answer), absl::StrCat("the answer to item \"", item.id, "\"")));
  }
  result.set_id(item.id);
  result.set_group(item.group);
  for (const double value : answer.log_likelihoods) result.add_loglikelihoods(value);
  for (const bool greedy : answer.greedy) result.add_greedy(greedy);
  result.set_output(answer.output);
  result.set_rank(answer.rank);
  result.set_truncated(stored.truncated);
  for (const std::string& name : task.definition.metrics()) AddScores(*FindTaskMetric(name), item, answer, result);
  for (const v1::AnswerFilter& filter : task.definition.generate().filters()) {
    if (!filter.former_name().empty()) (*result.mutable_scores())[filter.former_name()] = answer.matches[filter.name()];
  }
  return absl::OkStatus();
}

void AddMetrics(const LoadedTask& task, v1::TaskResult& result) {
  std::vector<const v1::TaskResult::Item*> all;
  std::map<std::string, std::vector<const v1::TaskResult::Item*>> groups;
  for (const v1::TaskResult::Item& item : result.items()) {
    all.push_back(&item);
    if (!item.group().empty()) groups[item.group()].push_back(&item);
  }
  for (const std::string& name : task.definition.metrics()) {
    *result.add_metrics() = SummarizeMetric(*FindTaskMetric(name), all);
  }
  if (groups.size() < 2) return;
  for (const auto& [name, items] : groups) {
    v1::TaskResult::Group& group = *result.add_groups();
    group.set_name(name);
    group.set_items(static_cast<int64_t>(items.size()));
    for (const std::string& metric : task.definition.metrics()) {
      *group.add_metrics() = SummarizeMetric(*FindTaskMetric(metric), items);
    }
  }
}

absl::Status CheckAnswers(const StoredAnswer* answer, const EncodedItem& item) {
  const bool whole = answer != nullptr && answer->answer.log_likelihoods.size() == item.requests.size() &&
                     answer->answer.greedy.size() == item.requests.size();
  return whole ? absl::OkStatus() : absl::InternalError("an item was left without an answer");
}

std::string ProtocolWords(const LoadedTask& task, const TaskText& text) {
  std::string words = task.Words();
  if (task.chat_template && !text.template_date.empty()) absl::StrAppend(&words, " of ", text.template_date);
  if (!text.frame.empty()) absl::StrAppend(&words, ", tokens ", text.frame.Words());
  return words;
}

void Describe(absl::string_view subject, const LoadedTask& task, const TaskText& text, v1::TaskResult& result) {
  result.set_task(task.definition.name());
  result.set_subject(std::string(subject));
  result.set_version(task.definition.version());
  result.set_hash(TaskProtocolHash(task, text));
  result.set_protocol(ProtocolWords(task, text));
  result.set_ability(task.ability);
  result.set_few_shot(task.few_shot);
  result.set_skipped(task.skipped);
}

}  // namespace

std::string TaskProtocolHash(const LoadedTask& task, const TaskText& text) {
  Sha256 digest;
  const v1::TaskDefinition& definition = task.definition;
  for (const std::string& part :
       {definition.name(), definition.version(), std::string(ScorerName(definition.scorer())), text.tokenizer->sha256(),
        task.chat_template ? text.template_sha256 : "", absl::StrCat(text.prefix_id, " ", text.context_length)}) {
    digest.UpdateField(part);
  }
  digest.UpdateField(definition.generate().SerializeAsString());
  // Nothing where there is nothing, so that hashes of models without a frame are what they were.
  if (!text.frame.empty()) digest.UpdateField(absl::StrCat("frame ", text.frame.Words()));
  if (task.chat_template && !text.template_date.empty()) digest.UpdateField(absl::StrCat("date ", text.template_date));
  for (const TaskItem& item : task.items) {
    digest.UpdateField(item.id);
    digest.UpdateField(task.Preamble(item));
    for (const auto* list : {&item.prompts, &item.choices, &item.continuations, &item.answers}) {
      digest.UpdateField(absl::StrCat(list->size()));
      for (const std::string& one : *list) digest.UpdateField(one);
    }
    for (const int gold : item.gold) digest.UpdateField(absl::StrCat(gold));
    digest.UpdateField(item.target);
  }
  return digest.HexDigest();
}

absl::StatusOr<v1::TaskResult> RunTask(absl::string_view subject, const LoadedTask& task, const TaskText& text,
                                       const TaskModel& model, AnswerStore& store, const EvaluateContext& context) {
  if (task.chat_template && text.chat == nullptr) {
    return absl::InvalidArgumentError("apply_chat_template: the model has no chat template");
  }
  const Stopwatch watch;
  TERSOR_ASSIGN_OR_RETURN(const AnswerCheck check, AnswerCheck::Make(task.definition.generate()));
  v1::TaskResult result;
  Describe(subject, task, text, result);
  TERSOR_ASSIGN_OR_RETURN(const std::vector<EncodedItem> encoded, EncodeItems(task, text, context.cancellation));
  Asking asking(task, encoded, model, store, context);
  const std::vector<size_t> unknown = asking.Unknown();
  if (!unknown.empty()) TERSOR_RETURN_IF_ERROR(asking.Ask(unknown));
  result.set_cached(static_cast<int64_t>(encoded.size() - unknown.size()));
  for (size_t i = 0; i < encoded.size(); ++i) {
    const StoredAnswer* stored = store.Find(encoded[i].key);
    TERSOR_RETURN_IF_ERROR(CheckAnswers(stored, encoded[i]));
    TERSOR_RETURN_IF_ERROR(FillItem(task, check, task.items[i], *stored, *result.add_items()));
    result.set_tokens(result.tokens() + encoded[i].tokens());
    result.set_truncated(result.truncated() + stored->truncated);
  }
  AddMetrics(task, result);
  result.set_seconds(watch.Seconds());
  return result;
}

}  // namespace tersor
