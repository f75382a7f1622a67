#include "core/pipeline/job_inputs.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/calibration/dataset.h"
#include "core/calibration/token_batches.h"
#include "core/evaluate/scored_windows.h"
#include "core/pipeline/content_hash.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// A tokenizer makes at most one token a byte, so a text of fewer bytes than tokens asked for is surely too short.
constexpr absl::string_view kTooShort = " bytes: fewer than the tokens asked for";

// A text that has this many bytes for each token asked for is taken for long enough; shorter ones are tokenized to see.
constexpr int64_t kAmpleBytesPerToken = 8;

bool MayBeTooShort(const DatasetText& data, int64_t tokens) {
  return static_cast<int64_t>(data.text.size()) < tokens * kAmpleBytesPerToken;
}

bool IsUnder(const fs::path& path, const fs::path& root) {
  std::error_code error;
  const fs::path inner = fs::weakly_canonical(path, error);
  const fs::path outer = fs::weakly_canonical(root, error);
  const auto [end, unused] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

absl::Status CheckModelPath(const std::string& model, const PipelineContext& context) {
  if (model.empty()) return absl::InvalidArgumentError("name a model: a folder, a .gguf file or a registered model");
  std::error_code error;
  if (!context.allowed_roots.empty() && std::none_of(context.allowed_roots.begin(), context.allowed_roots.end(),
                                                     [&](const fs::path& root) { return IsUnder(model, root); })) {
    return absl::PermissionDeniedError(
        absl::StrCat("\"", model, "\" is outside the allowed model folders: ",
                     absl::StrJoin(context.allowed_roots, ", ",
                                   [](std::string* out, const fs::path& path) { out->append(path.string()); })));
  }
  if (!fs::exists(model, error)) {
    return absl::NotFoundError(absl::StrCat("no model \"", model, "\": there is no such file or folder"));
  }
  return absl::OkStatus();
}

void AddViolation(absl::string_view field, const absl::Status& status, std::vector<FieldViolation>& violations) {
  violations.push_back({std::string(field), std::string(status.message())});
}

absl::Status ReadModelFiles(const std::string& path, const PipelineContext& context, JobInputs& inputs) {
  TERSOR_ASSIGN_OR_RETURN(inputs.model, ReadModelFile(path, context));
  inputs.model_sha256 = inputs.model.source.sha256;
  if (inputs.model.assets.tokenizer_json.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<const Tokenizer>> tokenizer = Tokenizer::FromJson(inputs.model.assets.tokenizer_json);
  if (tokenizer.ok()) {
    inputs.tokenizer = *std::move(tokenizer);
    return absl::OkStatus();
  }
  // What needs no text goes on; what does is refused with this.
  inputs.model.assets.tokenizer_fault = std::string(tokenizer.status().message());
  inputs.model.assets.tokenizer_json.clear();
  return absl::OkStatus();
}

// Text in which tokenizers of different models differ.
constexpr absl::string_view kProbe =
    "The quick brown fox can't jump 12345 over 3.14159 lazy dogs;  it's\n\tna\xC3\xAFve: def f(x): return {\"a\": "
    "x**2}";

absl::Status CheckSameTokens(const std::string& path, const Tokenizer& original, const Tokenizer& given) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> expected, original.Encode(kProbe));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> found, given.Encode(kProbe));
  if (expected == found) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", path, "\" has another tokenizer than the model: it is not its original"));
}

// The original takes the recipe's model's place; both must read the same tokens.
absl::Status ReadOriginal(const std::string& path, const PipelineContext& context, JobInputs& inputs) {
  TERSOR_ASSIGN_OR_RETURN(Model original, ReadModelFile(path, context));
  const ModelSpec& left = original.spec;
  const ModelSpec& right = inputs.model.spec;
  if (left.vocabulary != right.vocabulary) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" has a vocabulary of ", left.vocabulary,
                                                   ", the model one of ", right.vocabulary,
                                                   ": it is not its original"));
  }
  if (!original.assets.tokenizer_json.empty()) {
    TERSOR_ASSIGN_OR_RETURN(auto tokenizer, Tokenizer::FromJson(original.assets.tokenizer_json));
    // A model whose own tokenizer cannot be used is evaluated with its original's.
    if (inputs.tokenizer == nullptr) {
      inputs.tokenizer = std::move(tokenizer);
    } else {
      TERSOR_RETURN_IF_ERROR(CheckSameTokens(path, *tokenizer, *inputs.tokenizer));
    }
  }
  inputs.given = std::move(inputs.model);
  inputs.given_sha256 = std::move(inputs.model_sha256);
  inputs.model = std::move(original);
  inputs.model_sha256 = inputs.model.source.sha256;
  return absl::OkStatus();
}

absl::StatusOr<DatasetText> ReadDataset(const std::string& name, const PipelineContext& context) {
  if (name.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("name a data set or a text file; there are: ",
                                                   absl::StrJoin(ListDatasets(context.data_paths), ", ")));
  }
  TERSOR_ASSIGN_OR_RETURN(fs::path path, FindDataset(name, context.data_paths));
  TERSOR_ASSIGN_OR_RETURN(std::string text, ReadText(path));
  return DatasetText{name, std::move(path), std::move(text)};
}

void ReadPerplexity(const v1::PerplexityEvaluation& evaluation, const std::string& field,
                    const PipelineContext& context, JobInputs& inputs, std::vector<FieldViolation>& violations) {
  const absl::StatusOr<ProtocolModel> described = DescribeForProtocol(inputs.model, inputs.tokenizer.get());
  if (!described.ok()) return AddViolation("model", described.status(), violations);
  const ProtocolModel& model = *described;
  const std::vector<FieldViolation> faults = CheckProtocol(evaluation, model, field);
  violations.insert(violations.end(), faults.begin(), faults.end());
  absl::StatusOr<DatasetText> data = ReadDataset(evaluation.dataset(), context);
  if (!data.ok()) return AddViolation(absl::StrCat(field, ".dataset"), data.status(), violations);
  if (!faults.empty() || inputs.tokenizer == nullptr) return;
  absl::StatusOr<Protocol> protocol = ResolveProtocol(evaluation, model, inputs.tokenizer->sha256(), data->text);
  if (!protocol.ok()) return AddViolation(field, protocol.status(), violations);
  if (const absl::Status enough = CheckTextLength(*data, *protocol, *inputs.tokenizer); !enough.ok()) {
    return AddViolation(absl::StrCat(field, ".dataset"), enough, violations);
  }
  inputs.perplexities.push_back({*std::move(data), *std::move(protocol)});
}

}  // namespace

absl::StatusOr<Model> ReadModelFile(const std::string& path, const PipelineContext& context) {
  TERSOR_RETURN_IF_ERROR(CheckModelPath(path, context));
  TERSOR_ASSIGN_OR_RETURN(Model model, LoadModel(path));
  TERSOR_ASSIGN_OR_RETURN(model.source.sha256, ModelContentHash(path, context.cache_dir));
  return model;
}

absl::Status CheckTextLength(const DatasetText& data, const Protocol& protocol, const Tokenizer& tokenizer) {
  if (protocol.convention == PerplexityConvention::kWords) return absl::OkStatus();
  if (static_cast<int64_t>(data.text.size()) < protocol.window) {
    return absl::InvalidArgumentError(
        absl::StrCat(data.path.string(), " has ", data.text.size(), kTooShort, " (a window of ", protocol.window, ")"));
  }
  return MayBeTooShort(data, protocol.window) ? CutWindows(protocol, tokenizer, data.text).status() : absl::OkStatus();
}

void ReadModel(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
               std::vector<FieldViolation>& violations) {
  if (absl::Status status = ReadModelFiles(recipe.model(), context, inputs); !status.ok()) {
    return AddViolation("model", status, violations);
  }
  const std::string& original = recipe.evaluate().original();
  if (original.empty()) return;
  if (absl::Status status = ReadOriginal(original, context, inputs); !status.ok()) {
    AddViolation("evaluate.original", status, violations);
  }
}

void ReadCalibration(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
                     std::vector<FieldViolation>& violations) {
  const v1::Calibration& calibration = recipe.calibration();
  if (calibration.has_samples()) inputs.calibration_samples = calibration.samples();
  if (calibration.has_tokens()) inputs.calibration_tokens = calibration.tokens();
  inputs.calibration_seed = calibration.seed();
  if (calibration.seed() < 0) violations.push_back({"calibration.seed", "must be 0 or more"});
  if (inputs.calibration_samples < 1 || inputs.calibration_samples > 1 << 20) {
    violations.push_back({"calibration.samples", "must be 1 .. 1048576"});
  }
  if (inputs.calibration_tokens < 2 || inputs.calibration_tokens > 1 << 20) {
    violations.push_back({"calibration.tokens", "must be 2 .. 1048576"});
  }
  absl::StatusOr<DatasetText> data = ReadDataset(calibration.dataset(), context);
  if (!data.ok()) return AddViolation("calibration.dataset", data.status(), violations);
  inputs.calibration = *std::move(data);
  const int64_t wanted = int64_t{inputs.calibration_samples} * inputs.calibration_tokens;
  if (static_cast<int64_t>(inputs.calibration.text.size()) < wanted) {
    violations.push_back(
        {"calibration.dataset",
         absl::StrCat(inputs.calibration.path.string(), " has ", inputs.calibration.text.size(), kTooShort, " (",
                      inputs.calibration_samples, " samples of ", inputs.calibration_tokens, ")")});
  } else if (inputs.tokenizer != nullptr && wanted > 0 && MayBeTooShort(inputs.calibration, wanted)) {
    const absl::Status enough = TakeCalibrationTokens(*inputs.tokenizer, inputs.calibration.text,
                                                      inputs.calibration_samples, inputs.calibration_tokens)
                                    .status();
    if (!enough.ok()) AddViolation("calibration.dataset", enough, violations);
  }
}

void ReadPerplexities(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
                      std::vector<FieldViolation>& violations) {
  for (int i = 0; i < recipe.evaluate().perplexity_size(); ++i) {
    ReadPerplexity(recipe.evaluate().perplexity(i), absl::StrCat("evaluate.perplexity[", i, "]"), context, inputs,
                   violations);
  }
}

}  // namespace tersor
