#include "core/evaluate/tasks/task_item.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/evaluate/tasks/text_template.h"
#include "core/formats/json_text.h"

namespace tersor {
namespace {

using nlohmann::json;

absl::Status Fault(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", field, "\" ", what));
}

absl::StatusOr<std::string> TextField(const json& item, const char* field) {
  const auto found = item.find(field);
  if (found == item.end()) return Fault(field, "is missing");
  if (const auto* text = found->get_ptr<const std::string*>()) return *text;
  if (found->is_number()) return found->dump();
  return Fault(field, "is not text");
}

absl::StatusOr<std::vector<std::string>> TextList(const json& item, const char* field) {
  const auto found = item.find(field);
  if (found == item.end()) return Fault(field, "is missing");
  if (!found->is_array()) return Fault(field, "is not a list of texts");
  std::vector<std::string> list;
  for (const json& entry : *found) {
    const auto* text = entry.get_ptr<const std::string*>();
    if (text == nullptr) return Fault(field, "is not a list of texts");
    list.push_back(*text);
  }
  return list;
}

absl::StatusOr<int> GoldIndex(const json& value, absl::string_view field, size_t choices) {
  if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() >= static_cast<double>(choices)) {
    return Fault(field, absl::StrCat("is ", value.dump(), ", but the ", choices, " choices count from 0"));
  }
  return value.get<int>();
}

// An index, several, or with `labels` beside it a 0 or 1 for each choice.
absl::StatusOr<std::vector<int>> GoldChoices(const json& item, const std::string& field, size_t choices) {
  std::vector<int> gold;
  if (const auto labels = item.find("labels"); labels != item.end()) {
    if (!labels->is_array() || labels->size() != choices) {
      return Fault("labels", absl::StrCat("is not a list of ", choices, " zeros and ones, one a choice"));
    }
    for (size_t i = 0; i < choices; ++i) {
      const bool right = (*labels)[i] == json(1);
      if (!right && (*labels)[i] != json(0)) {
        return Fault("labels", absl::StrCat("has ", (*labels)[i].dump(), " where a 0 or 1 must be"));
      }
      if (right) gold.push_back(static_cast<int>(i));
    }
    if (gold.empty()) return Fault("labels", "has no 1: no choice is right");
    return gold;
  }
  const auto found = item.find(field);
  if (found == item.end()) return Fault(field, "is missing");
  if (!found->is_array()) {
    TERSOR_ASSIGN_OR_RETURN(const int only, GoldIndex(*found, field, choices));
    return std::vector<int>{only};
  }
  for (const json& value : *found) {
    TERSOR_ASSIGN_OR_RETURN(const int one, GoldIndex(value, field, choices));
    gold.push_back(one);
  }
  std::sort(gold.begin(), gold.end());
  if (gold.empty()) return Fault(field, "is empty: no choice is right");
  return gold;
}

// The definition's templates, parsed once.
struct Renderer {
  const v1::TaskDefinition& definition;
  TextTemplate description, prompt, choice, target, answer;

  static absl::StatusOr<Renderer> Make(const v1::TaskDefinition& definition);
  absl::Status RenderPrompts(const json& source, TaskItem& item) const;
  absl::Status RenderChoices(json& source, TaskItem& item) const;
  absl::Status RenderAnswers(json& source, TaskItem& item) const;
  absl::Status RenderTarget(const json& source, TaskItem& item) const;
  absl::StatusOr<TaskItem> Render(json source) const;
};

absl::StatusOr<Renderer> Renderer::Make(const v1::TaskDefinition& definition) {
  const v1::TaskTemplate& texts = definition.template_();
  const auto parse = [](const std::string& text, absl::string_view otherwise) {
    return TextTemplate::Parse(text.empty() ? otherwise : absl::string_view(text));
  };
  TERSOR_ASSIGN_OR_RETURN(TextTemplate description, parse(texts.description(), ""));
  TERSOR_ASSIGN_OR_RETURN(TextTemplate prompt, parse(texts.prompt(), "{context}"));
  TERSOR_ASSIGN_OR_RETURN(TextTemplate choice, parse(texts.choice(), " {choice}"));
  TERSOR_ASSIGN_OR_RETURN(TextTemplate target, parse(texts.target(), "{target}"));
  TERSOR_ASSIGN_OR_RETURN(TextTemplate answer, parse(texts.answer(), "{answer}"));
  return Renderer{definition,        std::move(description), std::move(prompt),
                  std::move(choice), std::move(target),      std::move(answer)};
}

absl::Status Renderer::RenderPrompts(const json& source, TaskItem& item) const {
  std::vector<json> sources = {source};
  if (source.contains("contexts")) {
    TERSOR_ASSIGN_OR_RETURN(const std::vector<std::string> contexts, TextList(source, "contexts"));
    sources.assign(contexts.size(), source);
    for (size_t i = 0; i < contexts.size(); ++i) sources[i]["context"] = contexts[i];
  }
  TERSOR_ASSIGN_OR_RETURN(item.description, description.Render(source));
  for (const json& one : sources) {
    TERSOR_ASSIGN_OR_RETURN(std::string text, prompt.Render(one));
    item.prompts.emplace_back(absl::StripPrefix(text, item.description));
  }
  return absl::OkStatus();
}

absl::Status Renderer::RenderChoices(json& source, TaskItem& item) const {
  const v1::TaskTemplate& texts = definition.template_();
  if (texts.choices_size() > 0) {
    item.choices.assign(texts.choices().begin(), texts.choices().end());
  } else {
    TERSOR_ASSIGN_OR_RETURN(item.choices, TextList(source, "choices"));
  }
  if (item.choices.size() < 2) return Fault("choices", "has fewer than two");
  if (item.prompts.size() > 1 && item.prompts.size() != item.choices.size()) {
    return Fault("contexts", absl::StrCat("has ", item.prompts.size(), " texts for ", item.choices.size(), " choices"));
  }
  TERSOR_ASSIGN_OR_RETURN(item.gold,
                          GoldChoices(source, texts.gold().empty() ? "gold" : texts.gold(), item.choices.size()));
  for (const std::string& one : item.choices) {
    if (one.empty()) return Fault("choices", "has one that is empty");
    source["choice"] = one;
    TERSOR_ASSIGN_OR_RETURN(item.continuations.emplace_back(), choice.Render(source));
    if (item.continuations.back().empty()) return Fault("choices", "has one that makes an empty continuation");
  }
  if (const auto found = source.find("target"); found != source.end()) {
    TERSOR_ASSIGN_OR_RETURN(item.target, TextField(source, "target"));
  }
  return absl::OkStatus();
}

// Answers that begin with another are left out: where greedy decoding gives them, it gives that one.
std::vector<std::string> ShortestAnswers(std::vector<std::string> answers) {
  std::sort(answers.begin(), answers.end());
  std::vector<std::string> shortest;
  for (std::string& answer : answers) {
    if (shortest.empty() || !absl::StartsWith(answer, shortest.back())) shortest.push_back(std::move(answer));
  }
  return shortest;
}

// `answers`, or the one `answer`; none where the item has neither.
absl::StatusOr<std::vector<std::string>> StatedAnswers(const json& source) {
  if (source.contains("answers")) return TextList(source, "answers");
  if (!source.contains("answer")) return std::vector<std::string>();
  TERSOR_ASSIGN_OR_RETURN(std::string only, TextField(source, "answer"));
  return std::vector<std::string>{std::move(only)};
}

absl::Status Renderer::RenderAnswers(json& source, TaskItem& item) const {
  TERSOR_ASSIGN_OR_RETURN(item.answers, StatedAnswers(source));
  if (item.answers.empty() && !source.contains("answers")) {
    TERSOR_ASSIGN_OR_RETURN(const std::string only, TextField(source, "target"));
    item.answers = {std::string(absl::StripLeadingAsciiWhitespace(only))};
  }
  if (item.answers.empty()) return Fault("answers", "is empty: no answer is right");
  for (const std::string& one : ShortestAnswers(item.answers)) {
    if (one.empty()) return Fault("answers", "has one that is empty");
    source["answer"] = one;
    TERSOR_ASSIGN_OR_RETURN(item.continuations.emplace_back(), answer.Render(source));
  }
  item.target = item.continuations.front();
  return absl::OkStatus();
}

absl::Status Renderer::RenderTarget(const json& source, TaskItem& item) const {
  const bool generates = definition.scorer() == v1::TASK_SCORER_GENERATE;
  TERSOR_ASSIGN_OR_RETURN(item.answers, StatedAnswers(source));
  if (source.contains("target") || !generates || item.answers.empty()) {
    TERSOR_ASSIGN_OR_RETURN(item.target, target.Render(source));
  }
  const bool unanswerable = generates && source.contains("answers") && item.answers.empty();
  if (unanswerable && definition.generate().no_answer().empty()) {
    return Fault("answers", "is empty: no answer is right");
  }
  if (!unanswerable && item.target.empty() && item.answers.empty()) return Fault("target", "is empty");
  if (!generates) {
    if (item.target.empty()) return Fault("target", "is empty");
    item.continuations = {item.target};
  }
  if (item.answers.empty() && !unanswerable) item.answers = {item.target};
  return absl::OkStatus();
}

absl::StatusOr<TaskItem> Renderer::Render(json source) const {
  TaskItem item;
  TERSOR_ASSIGN_OR_RETURN(item.id, TextField(source, "id"));
  if (source.contains("subject")) {
    TERSOR_ASSIGN_OR_RETURN(item.group, TextField(source, "subject"));
  }
  TERSOR_RETURN_IF_ERROR(RenderPrompts(source, item));
  if (definition.scorer() == v1::TASK_SCORER_CHOICES) {
    TERSOR_RETURN_IF_ERROR(RenderChoices(source, item));
  } else {
    if (item.prompts.size() != 1) return Fault("contexts", "needs choices");
    const bool any_answer = !definition.template_().answer().empty();
    TERSOR_RETURN_IF_ERROR(any_answer ? RenderAnswers(source, item) : RenderTarget(source, item));
  }
  return item;
}

// Two choices that are the same text after the same prompt: no model can tell them apart.
bool HasTwins(const TaskItem& item) {
  std::set<std::pair<absl::string_view, absl::string_view>> seen;
  for (size_t i = 0; i < item.choices.size(); ++i) {
    if (!seen.emplace(item.prompt(i), item.continuations[i]).second) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<TaskItems> ReadTaskItems(const v1::TaskDefinition& definition, absl::string_view json_lines,
                                        absl::string_view where, int64_t limit) {
  TERSOR_ASSIGN_OR_RETURN(const Renderer renderer, Renderer::Make(definition));
  TaskItems result;
  std::map<std::string, int64_t> lines;
  int64_t line_number = 0;
  for (absl::string_view line : absl::StrSplit(json_lines, '\n')) {
    ++line_number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    if (limit > 0 && static_cast<int64_t>(result.items.size()) >= limit) break;
    const std::string place = absl::StrCat(where, ":", line_number);
    TERSOR_ASSIGN_OR_RETURN(json source, ParseJsonObject(line, place));
    absl::StatusOr<TaskItem> item = renderer.Render(std::move(source));
    if (!item.ok()) return Annotate(item.status(), place);
    item->line = line_number;
    if (const auto [first, fresh] = lines.emplace(item->id, line_number); !fresh) {
      return absl::InvalidArgumentError(
          absl::StrCat(place, ": the id \"", item->id, "\" stands in line ", first->second, " too"));
    }
    if (HasTwins(*item)) {
      ++result.skipped;
      continue;
    }
    result.items.push_back(*std::move(item));
  }
  if (result.items.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, result.skipped == 0 ? ": the data set has no items"
                                   : ": every item has two choices that are the same text after the same prompt"));
  }
  return result;
}

absl::StatusOr<std::vector<TaskShot>> ReadTaskShots(const v1::TaskDefinition& definition, absl::string_view json_lines,
                                                    absl::string_view where) {
  TERSOR_ASSIGN_OR_RETURN(const TaskItems pool, ReadTaskItems(definition, json_lines, where, 0));
  std::vector<TaskShot> shots;
  for (const TaskItem& item : pool.items) {
    const int right = item.gold.empty() ? 0 : item.gold.front();
    const std::string& answer = item.continuations.empty() ? item.target : item.continuations[right];
    shots.push_back({item.id, item.group, absl::StrCat(item.prompt(right), answer)});
  }
  return shots;
}

}  // namespace tersor
