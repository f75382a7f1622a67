// What a recipe names, found and read: the model, its tokenizer, the texts.
#ifndef TERSOR_CORE_PIPELINE_JOB_INPUTS_H_
#define TERSOR_CORE_PIPELINE_JOB_INPUTS_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/evaluate/protocol.h"
#include "core/evaluate/tasks/loaded_task.h"
#include "core/evaluate/tasks/task_runner.h"
#include "core/model/model.h"
#include "core/pipeline/pipeline.h"
#include "core/tokenizer/tokenizer.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// One data set as read.
struct DatasetText {
  std::string name;
  std::filesystem::path path;
  std::string text;
};

// One perplexity of the recipe, resolved.
struct PerplexityInput {
  DatasetText data;
  Protocol protocol;
};

// The recipe's `evaluate.baseline_model`.
struct BaselineModelInputs {
  Model model;
  std::unique_ptr<const Tokenizer> tokenizer;
  // One a perplexity of the recipe.
  std::vector<Protocol> protocols;
};

struct JobInputs {
  // The dense model that everything is compared with: the recipe's model, or the original that its evaluation names.
  Model model;
  // SHA-256 of its content.
  std::string model_sha256;
  // The recipe's model where `model` is its original: what another tool compressed.
  std::optional<Model> given;
  std::string given_sha256;

  // What the stages work on.
  const Model& source() const { return given ? *given : model; }
  const std::string& source_sha256() const { return given ? given_sha256 : model_sha256; }

  // Null where the model has none that can be used: then nothing in the recipe needs text.
  std::unique_ptr<const Tokenizer> tokenizer;
  // Empty text where no stage asks for calibration.
  DatasetText calibration;
  int calibration_samples = 16;
  int calibration_tokens = 512;
  int calibration_seed = 0;
  std::vector<PerplexityInput> perplexities;
  // What chat templates are told of the date: the recipe's `evaluate.chat_date`, else today.
  absl::CivilDay chat_date;
  std::vector<LoadedTask> tasks;
  // The same with all items that their data has, whatever the recipe's limits; only where the evaluation may go on with
  // them.
  std::vector<LoadedTask> whole_tasks;
  std::optional<BaselineModelInputs> baseline_model;
  // What was left out, and why.
  std::vector<v1::Warning> warnings;
};

// The three steps of reading; what cannot be found or read is added to `violations`, each under its field. The inputs
// are complete only when no violation was added.
void ReadModel(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
               std::vector<FieldViolation>& violations);
void ReadCalibration(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
                     std::vector<FieldViolation>& violations);
void ReadPerplexities(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
                      std::vector<FieldViolation>& violations);
// The recipe's tasks, then its suite's that are not among them. A suite's task whose data is not there is left out with
// a warning.
void ReadTasks(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
               std::vector<FieldViolation>& violations);

// What turns the tasks' texts into the model's ids; both outlive it. INVALID_ARGUMENT where the tokenizer's special
// tokens cannot be told.
absl::StatusOr<TaskText> DescribeTaskText(const Model& model, const Tokenizer& tokenizer, absl::CivilDay chat_date);

// The model with its content's hash. PERMISSION_DENIED where the path lies outside the allowed folders, NOT_FOUND where
// nothing is there.
absl::StatusOr<Model> ReadModelFile(const std::string& path, const PipelineContext& context);
// INVALID_ARGUMENT where the text is shorter than a window.
absl::Status CheckTextLength(const DatasetText& data, const Protocol& protocol, const Tokenizer& tokenizer);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_JOB_INPUTS_H_
