// The part of the inputs that tasks are.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/sha256.h"
#include "core/base/warning.h"
#include "core/chat/chat_template.h"
#include "core/evaluate/gate_looks.h"
#include "core/model/special_tokens.h"
#include "core/pipeline/job_inputs.h"
#include "core/pipeline/stage_list.h"

namespace tersor {
namespace {

// A suite's set with fewer is taken for a sample of it.
constexpr int64_t kFewItems = 30;

absl::CivilDay Today() { return absl::ToCivilDay(absl::Now(), absl::LocalTimeZone()); }

class TaskReader {
 public:
  TaskReader(const PipelineContext& context, bool reads_whole, JobInputs& inputs,
             std::vector<FieldViolation>& violations)
      : library_(context.data_paths, context.task_paths),
        reads_whole_(reads_whole),
        inputs_(inputs),
        violations_(violations) {}

  void ReadNamed(const v1::Evaluation& evaluate);
  void ReadSuite(const v1::SuiteEvaluation& evaluation);

 private:
  // A faulty task file has a line for each fault; a violation is one.
  void Violate(const std::string& field, absl::string_view what) {
    violations_.push_back({field, absl::StrReplaceAll(what, {{"\n", "; "}})});
  }
  void Warn(const char* code, const std::string& task, const std::string& message) {
    inputs_.warnings.push_back(MakeWarning(code, message, task));
  }
  absl::StatusOr<TaskText> Text() const {
    return DescribeTaskText(inputs_.model, *inputs_.tokenizer, inputs_.chat_date);
  }
  void ReadDate(const std::string& date);
  void CheckTemplate(bool wanted, const std::string& field);
  // Adds it unless its data is missing and `skips_missing`.
  void Read(const v1::TaskEvaluation& task, const std::string& ability, const std::string& field, bool skips_missing);
  absl::Status ReadWhole(v1::TaskEvaluation task, const std::string& ability);
  std::string AbilityOf(const std::string& task) const;

  TaskLibrary library_;
  // Also the items beyond the tasks' limits.
  const bool reads_whole_;
  JobInputs& inputs_;
  std::vector<FieldViolation>& violations_;
  // Whether the recipe says which day it is, and whether it was warned that it does not.
  bool dated_ = false;
  bool date_warned_ = false;
  std::set<std::string> named_;
  v1::SuiteDefinition suite_;
};

void TaskReader::ReadDate(const std::string& date) {
  dated_ = !date.empty();
  inputs_.chat_date = Today();
  if (dated_ && !absl::ParseCivilTime(date, &inputs_.chat_date)) {
    Violate("evaluate.chat_date", absl::StrCat("\"", date, "\" is not a day such as 2026-01-31"));
  }
}

void TaskReader::CheckTemplate(bool wanted, const std::string& field) {
  if (!wanted || inputs_.tokenizer == nullptr) return;
  const std::string name = absl::StrCat(field, ".apply_chat_template");
  const absl::StatusOr<TaskText> text = Text();
  if (!text.ok()) return Violate(name, text.status().message());
  if (text->chat == nullptr) return Violate(name, "the model has no chat template");
  if (const absl::Status tried = text->chat("Hello").status(); !tried.ok()) return Violate(name, tried.message());
  if (text->template_date.empty() || dated_ || date_warned_) return;
  date_warned_ = true;
  Warn("CHAT_TEMPLATE_DATE", "",
       absl::StrCat("the chat template asks for the date and is told today's, ", text->template_date,
                    ": on another day the tasks have other prompts. Set evaluate.chat_date"));
}

std::string TaskReader::AbilityOf(const std::string& task) const {
  for (const v1::SuiteTask& one : suite_.tasks()) {
    if (one.name() == task) return one.ability();
  }
  return "";
}

absl::Status TaskReader::ReadWhole(v1::TaskEvaluation task, const std::string& ability) {
  task.clear_limit();
  TERSOR_ASSIGN_OR_RETURN(inputs_.whole_tasks.emplace_back(), LoadTask(library_, task, ability));
  if (inputs_.tokenizer == nullptr) return absl::OkStatus();
  TERSOR_ASSIGN_OR_RETURN(const TaskText text, Text());
  return CheckTaskTokens(inputs_.whole_tasks.back(), text);
}

void TaskReader::Read(const v1::TaskEvaluation& task, const std::string& ability, const std::string& field,
                      bool skips_missing) {
  absl::StatusOr<FoundTask> found = library_.FindTask(task.name());
  if (!found.ok()) return Violate(absl::StrCat(field, ".name"), found.status().message());
  absl::StatusOr<LoadedTask> loaded = LoadFoundTask(library_, *std::move(found), task);
  if (absl::IsNotFound(loaded.status()) && skips_missing) {
    return Warn("SUITE_TASK_WITHOUT_DATA", task.name(),
                absl::StrCat("left out of the suite: ", loaded.status().message()));
  }
  if (!loaded.ok()) return Violate(field, loaded.status().message());
  loaded->ability = ability;
  if (inputs_.tokenizer != nullptr) {
    const absl::StatusOr<TaskText> text = Text();
    const absl::Status fits = text.ok() ? CheckTaskTokens(*loaded, *text) : text.status();
    if (!fits.ok()) return Violate(field, fits.message());
  }
  if (loaded->skipped > 0) {
    Warn("TASK_ITEMS_SKIPPED", task.name(),
         absl::StrCat(loaded->skipped, " items have two choices that are the same text after the same prompt"));
  }
  const auto items = static_cast<int64_t>(loaded->items.size());
  const bool limited = task.limit() > 0 && task.limit() <= items;
  if (skips_missing && items < kFewItems && !limited) {
    Warn("TASK_OF_FEW_ITEMS", task.name(),
         absl::StrCat("its data set has ", items,
                      " items here: a sample, whose score says little, but which weighs in "
                      "the suite and its ability as much as a whole set"));
  }
  const std::string label = TaskLabel(*loaded);
  const bool twice = std::any_of(inputs_.tasks.begin(), inputs_.tasks.end(),
                                 [&](const LoadedTask& other) { return TaskLabel(other) == label; });
  if (twice) return Violate(field, absl::StrCat(label, " is named twice"));
  inputs_.tasks.push_back(*std::move(loaded));
  if (!reads_whole_) return;
  if (const absl::Status whole = ReadWhole(task, ability); !whole.ok()) Violate(field, whole.message());
}

void TaskReader::ReadNamed(const v1::Evaluation& evaluate) {
  ReadDate(evaluate.chat_date());
  if (evaluate.has_suite()) {
    absl::StatusOr<v1::SuiteDefinition> suite = library_.FindSuite(evaluate.suite().name());
    if (suite.ok()) {
      suite_ = *std::move(suite);
    } else {
      Violate("evaluate.suite.name", suite.status().message());
    }
  }
  for (int i = 0; i < evaluate.tasks_size(); ++i) {
    const v1::TaskEvaluation& task = evaluate.tasks(i);
    const std::string field = absl::StrCat("evaluate.tasks[", i, "]");
    CheckTemplate(task.apply_chat_template(), field);
    named_.insert(task.name());
    Read(task, AbilityOf(task.name()), field, false);
  }
}

void TaskReader::ReadSuite(const v1::SuiteEvaluation& evaluation) {
  const size_t before = inputs_.tasks.size(), faults = violations_.size();
  CheckTemplate(evaluation.apply_chat_template(), "evaluate.suite");
  if (evaluation.limit() < 0) return Violate("evaluate.suite.limit", "must be 0 (all) or more");
  for (const v1::SuiteTask& one : suite_.tasks()) {
    if (named_.contains(one.name())) continue;
    v1::TaskEvaluation task;
    task.set_name(one.name());
    task.set_limit(evaluation.has_limit() ? evaluation.limit() : one.limit());
    if (one.has_few_shot()) task.set_few_shot(one.few_shot());
    task.set_apply_chat_template(evaluation.apply_chat_template());
    Read(task, one.ability(), "evaluate.suite", true);
  }
  if (suite_.tasks_size() > 0 && inputs_.tasks.size() == before && named_.empty() && violations_.size() == faults) {
    Violate("evaluate.suite", absl::StrCat("the data of none of the suite's tasks is there: ",
                                           inputs_.warnings.empty() ? "" : inputs_.warnings.front().message()));
  }
}

}  // namespace

void ReadTasks(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
               std::vector<FieldViolation>& violations) {
  TaskReader reader(context, ExtendsTasks(recipe), inputs, violations);
  reader.ReadNamed(recipe.evaluate());
  if (recipe.evaluate().has_suite()) reader.ReadSuite(recipe.evaluate().suite());
}

absl::StatusOr<TaskText> DescribeTaskText(const Model& model, const Tokenizer& tokenizer, absl::CivilDay chat_date) {
  TERSOR_ASSIGN_OR_RETURN(SpecialTokens special, SpecialTokensOf(model.spec, model.assets, &tokenizer));
  TaskText text;
  text.tokenizer = &tokenizer;
  text.prefix_id = special.prefix().id;
  text.frame = special.frame;
  text.end_ids = special.ends;
  text.context_length = model.spec.context_length;
  if (model.assets.chat_template.empty()) return text;
  text.template_sha256 = Sha256Hex(model.assets.chat_template);
  absl::StatusOr<ChatTemplate> chat = ChatTemplate::Parse(model.assets.chat_template);
  if (chat.ok() && chat->asks_for_date()) text.template_date = absl::FormatCivilTime(chat_date);
  ChatVariables variables{.bos_token = special.bos.text,
                          .eos_token = special.eos.text,
                          .pad_token = special.pad.text,
                          .unk_token = special.unk.text,
                          .date = chat_date};
  text.chat = [chat = std::move(chat), variables](absl::string_view prompt) -> absl::StatusOr<std::string> {
    if (!chat.ok()) return chat.status();
    return chat->Render({{"user", std::string(prompt)}}, variables);
  };
  return text;
}

}  // namespace tersor
