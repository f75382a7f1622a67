#include "core/pipeline/baseline_model.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/warning.h"
#include "core/compare/report_side.h"
#include "core/evaluate/dense_baseline.h"
#include "core/evaluate/performance.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/scored_windows.h"
#include "core/pipeline/plan_evaluation.h"
#include "core/pipeline/stage_list.h"
#include "core/pipeline/task_evaluation.h"
#include "core/pipeline/text_evaluation.h"
#include "core/pipeline/text_extension.h"

namespace tersor {
namespace {

constexpr char kField[] = "evaluate.baseline_model";

void Violate(absl::string_view what, std::vector<FieldViolation>& violations) {
  violations.push_back({kField, std::string(what)});
}

absl::StatusOr<BaselineModelInputs> ReadModelAndTokenizer(const std::string& path, const PipelineContext& context) {
  BaselineModelInputs inputs;
  TERSOR_ASSIGN_OR_RETURN(inputs.model, ReadModelFile(path, context));
  if (inputs.model.assets.tokenizer_json.empty()) {
    return absl::InvalidArgumentError(WhyNoTokenizer(inputs.model));
  }
  TERSOR_ASSIGN_OR_RETURN(inputs.tokenizer, Tokenizer::FromJson(inputs.model.assets.tokenizer_json));
  return inputs;
}

// The recipe's perplexities as this model and its tokenizer measure them.
void ResolveProtocols(const v1::Recipe& recipe, const JobInputs& inputs, BaselineModelInputs& baseline,
                      std::vector<FieldViolation>& violations) {
  const absl::StatusOr<ProtocolModel> described = DescribeForProtocol(baseline.model, baseline.tokenizer.get());
  if (!described.ok()) return Violate(described.status().message(), violations);
  const ProtocolModel& model = *described;
  // Faulty ones are not among the inputs; then the plan is not run.
  if (static_cast<int>(inputs.perplexities.size()) != recipe.evaluate().perplexity_size()) return;
  for (int i = 0; i < recipe.evaluate().perplexity_size(); ++i) {
    const v1::PerplexityEvaluation& evaluation = recipe.evaluate().perplexity(i);
    const std::vector<FieldViolation> faults = CheckProtocol(evaluation, model, absl::StrCat("perplexity[", i, "]"));
    for (const FieldViolation& fault : faults) Violate(absl::StrCat(fault.field, ": ", fault.description), violations);
    if (!faults.empty()) continue;
    absl::StatusOr<Protocol> protocol =
        ResolveProtocol(evaluation, model, baseline.tokenizer->sha256(), inputs.perplexities[i].data.text);
    const absl::Status enough = protocol.ok()
                                    ? CheckTextLength(inputs.perplexities[i].data, *protocol, *baseline.tokenizer)
                                    : protocol.status();
    if (!enough.ok()) {
      Violate(absl::StrCat("perplexity[", i, "]: ", enough.message()), violations);
      continue;
    }
    baseline.protocols.push_back(*std::move(protocol));
  }
}

void CheckChatTemplate(const JobInputs& inputs, const BaselineModelInputs& baseline,
                       std::vector<FieldViolation>& violations) {
  const bool wanted =
      std::any_of(inputs.tasks.begin(), inputs.tasks.end(), [](const LoadedTask& task) { return task.chat_template; });
  if (!wanted) return;
  const auto text = DescribeTaskText(baseline.model, *baseline.tokenizer, inputs.chat_date);
  if (!text.ok()) return Violate(text.status().message(), violations);
  const absl::Status tried = text->chat == nullptr
                                 ? absl::InvalidArgumentError("the model has no chat template, which a task asks for")
                                 : text->chat("Hello").status();
  if (!tried.ok()) Violate(tried.message(), violations);
}

// Its context may be shorter than the model's; what is wrong for both is said of the recipe.
void CheckLengths(const v1::Recipe& recipe, const JobInputs& inputs, const BaselineModelInputs& baseline,
                  std::vector<FieldViolation>& violations) {
  const v1::PerformanceEvaluation& evaluation = recipe.evaluate().performance();
  if (!recipe.evaluate().has_performance() ||
      !CheckPerformance(evaluation, inputs.model.spec.context_length, "performance").empty()) {
    return;
  }
  for (const FieldViolation& fault : CheckPerformance(evaluation, baseline.model.spec.context_length, "performance")) {
    Violate(absl::StrCat(fault.field, ": ", fault.description), violations);
  }
}

void WarnOfTokenizer(const BaselineModelInputs& baseline, JobInputs& inputs) {
  if (baseline.tokenizer->sha256() == inputs.tokenizer->sha256()) return;
  inputs.warnings.push_back(MakeWarning(
      "TOKENIZERS_DIFFER",
      "the baseline model has a tokenizer of its own: perplexities per token are no measure between the two; those of "
      "convention \"words\" count per word, and tasks compare",
      kField));
}

// The task as the other models were asked it in the end.
LoadedTask AskedTask(const JobParts& parts, size_t index) {
  const JobInputs& inputs = parts.job.inputs;
  int64_t items = static_cast<int64_t>(inputs.tasks[index].items.size());
  size_t left = index;
  for (const v1::TaskResult& result : parts.report.tasks()) {
    if (result.subject() == kDenseSubject && left-- == 0) items = result.items_size();
  }
  if (items <= static_cast<int64_t>(inputs.tasks[index].items.size())) return inputs.tasks[index];
  LoadedTask task = inputs.whole_tasks[index];
  task.items.resize(items);
  return task;
}

absl::Status EvaluateText(const JobParts& parts, const BaselineModelInputs& baseline, size_t index,
                          v1::StageReport& stage) {
  const Protocol protocol = ExtendedProtocol(baseline.protocols[index], static_cast<int>(index), parts.report);
  TERSOR_ASSIGN_OR_RETURN(const ScoredWindows windows,
                          CutWindows(protocol, *baseline.tokenizer, parts.job.inputs.perplexities[index].data.text));
  TERSOR_ASSIGN_OR_RETURN(const DenseBaseline measured, MeasureDense(parts, baseline.model, protocol, windows, false));
  stage.set_reused(measured.reused);
  stage.set_seconds(measured.seconds);
  *parts.report.add_perplexity() =
      MakePerplexityResult(kBaselineModelSubject, protocol, windows, measured.block_nlls, measured.seconds);
  return absl::OkStatus();
}

}  // namespace

void ReadBaselineModel(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
                       std::vector<FieldViolation>& violations) {
  const std::string& path = recipe.evaluate().baseline_model();
  if (path.empty()) return;
  absl::StatusOr<BaselineModelInputs> baseline = ReadModelAndTokenizer(path, context);
  if (!baseline.ok()) return Violate(baseline.status().message(), violations);
  if (recipe.evaluate().perplexity().empty() && inputs.tasks.empty() && !recipe.evaluate().has_performance()) {
    return Violate("needs evaluate.perplexity, tasks, suite or performance: there is nothing to measure it on",
                   violations);
  }
  if (inputs.tokenizer == nullptr) return;
  ResolveProtocols(recipe, inputs, *baseline, violations);
  CheckChatTemplate(inputs, *baseline, violations);
  CheckLengths(recipe, inputs, *baseline, violations);
  WarnOfTokenizer(*baseline, inputs);
  inputs.baseline_model = *std::move(baseline);
}

void PlanBaselineModel(const JobInputs& inputs, int threads, v1::Plan& plan) {
  if (!inputs.baseline_model.has_value()) return;
  const ModelSpec& spec = inputs.baseline_model->model.spec;
  for (size_t i = 0; i < inputs.perplexities.size(); ++i) {
    const PerplexityInput input = {inputs.perplexities[i].data, inputs.baseline_model->protocols[i]};
    const int64_t tokens = PerplexityTokens(input);
    AddPlannedStage(plan, BaselineModelStageName(static_cast<int>(i)),
                    ScoringCost(spec, tokens, tokens, input.protocol.window, 1, threads),
                    absl::StrCat(spec.name, ": perplexity on ", input.data.name, ", ", input.protocol.Words()));
  }
  const std::vector<LoadedTask>& tasks = inputs.whole_tasks.empty() ? inputs.tasks : inputs.whole_tasks;
  for (const LoadedTask& task : tasks) {
    AddPlannedStage(plan, TaskStageName(kBaselineModelSubject, task), TaskCost(spec, task, threads),
                    absl::StrCat(spec.name, ": ", task.Words()));
  }
}

absl::Status EvaluateBaselineModel(const JobParts& parts) {
  if (!parts.job.inputs.baseline_model.has_value()) return absl::OkStatus();
  const BaselineModelInputs& baseline = *parts.job.inputs.baseline_model;
  *parts.report.mutable_baseline_model() = DescribeModel(baseline.model);
  for (size_t i = 0; i < baseline.protocols.size(); ++i) {
    TERSOR_RETURN_IF_ERROR(parts.run_stage(BaselineModelStageName(static_cast<int>(i)), [&](v1::StageReport& stage) {
      return EvaluateText(parts, baseline, i, stage);
    }));
  }
  TERSOR_ASSIGN_OR_RETURN(TaskText text,
                          DescribeTaskText(baseline.model, *baseline.tokenizer, parts.job.inputs.chat_date));
  TaskSubject subject(std::string(kBaselineModelSubject), baseline.model, baseline.model.source.sha256, std::move(text),
                      parts.job.compute, parts.cache());
  for (size_t i = 0; i < parts.job.inputs.tasks.size(); ++i) {
    TERSOR_RETURN_IF_ERROR(RunTaskStage(parts, subject, AskedTask(parts, i)));
  }
  return absl::OkStatus();
}

}  // namespace tersor
