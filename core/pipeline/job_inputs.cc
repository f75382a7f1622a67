#include "core/pipeline/job_inputs.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/calibration/dataset.h"
#include "core/pipeline/content_hash.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// A tokenizer makes at most one token a byte, so a text of fewer bytes than tokens asked for is surely too short.
constexpr absl::string_view kTooShort = " bytes: fewer than the tokens asked for";

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
  TERSOR_RETURN_IF_ERROR(CheckModelPath(path, context));
  TERSOR_ASSIGN_OR_RETURN(inputs.model, LoadModel(path));
  TERSOR_ASSIGN_OR_RETURN(inputs.model_sha256, ModelContentHash(path, context.cache_dir));
  inputs.model.source.sha256 = inputs.model_sha256;
  if (inputs.model.assets.tokenizer_json.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" has no tokenizer.json"));
  }
  TERSOR_ASSIGN_OR_RETURN(inputs.tokenizer, Tokenizer::FromJson(inputs.model.assets.tokenizer_json));
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

ProtocolModel DescribeForProtocol(const Model& model) {
  return {.bos_id = model.spec.bos_id,
          .eos_id = model.spec.eos_ids.empty() ? -1 : model.spec.eos_ids.front(),
          .add_bos = model.assets.add_bos,
          .context_length = model.spec.context_length};
}

void ReadPerplexity(const v1::PerplexityEvaluation& evaluation, const std::string& field,
                    const PipelineContext& context, JobInputs& inputs, std::vector<FieldViolation>& violations) {
  const ProtocolModel model = DescribeForProtocol(inputs.model);
  const std::vector<FieldViolation> faults = CheckProtocol(evaluation, model, field);
  violations.insert(violations.end(), faults.begin(), faults.end());
  absl::StatusOr<DatasetText> data = ReadDataset(evaluation.dataset(), context);
  if (!data.ok()) return AddViolation(absl::StrCat(field, ".dataset"), data.status(), violations);
  if (!faults.empty() || inputs.tokenizer == nullptr) return;
  absl::StatusOr<Protocol> protocol = ResolveProtocol(evaluation, model, inputs.tokenizer->sha256(), data->text);
  if (!protocol.ok()) return AddViolation(field, protocol.status(), violations);
  if (protocol->convention != PerplexityConvention::kWords &&
      static_cast<int64_t>(data->text.size()) < protocol->window) {
    violations.push_back(
        {absl::StrCat(field, ".dataset"), absl::StrCat(data->path.string(), " has ", data->text.size(), kTooShort,
                                                       " (a window of ", protocol->window, ")")});
  }
  inputs.perplexities.push_back({*std::move(data), *std::move(protocol)});
}

}  // namespace

void ReadModel(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
               std::vector<FieldViolation>& violations) {
  if (absl::Status status = ReadModelFiles(recipe.model(), context, inputs); !status.ok()) {
    AddViolation("model", status, violations);
  }
}

void ReadCalibration(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
                     std::vector<FieldViolation>& violations) {
  const v1::Calibration& calibration = recipe.calibration();
  if (calibration.has_samples()) inputs.calibration_samples = calibration.samples();
  if (calibration.has_tokens()) inputs.calibration_tokens = calibration.tokens();
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
