#include "core/lint/lint.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/mapped_inputs.h"
#include "core/formats/gguf_split.h"
#include "core/lint/config_keys.h"
#include "core/lint/dense_checks.h"
#include "core/lint/findings.h"
#include "core/lint/layer_checks.h"
#include "core/lint/raw_gguf.h"
#include "core/lint/raw_layers.h"
#include "core/lint/raw_tensors.h"
#include "core/model/container.h"
#include "core/model/finite_weights.h"
#include "core/model/model.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// A file that no reader can load has one fault that matters; what kind it is stands in the reader's words.
void AddLoadError(const absl::Status& status, Findings& findings) {
  const absl::string_view text = status.message();
  const auto says = [text](absl::string_view words) { return absl::StrContains(text, words); };
  if (absl::IsUnimplemented(status)) {
    return findings.Error("NOT_SUPPORTED", "", text, "Tersor cannot judge this file; other readers may");
  }
  const char* code = says("is not finite")                                    ? "NON_FINITE"
                     : says("is missing")                                     ? "TENSOR_MISSING"
                     : says("is none that")                                   ? "TENSOR_UNKNOWN"
                     : says("twice") || says("both quantized")                ? "TENSOR_DOUBLED"
                     : says("group ") || says("g_idx")                        ? "GROUP_INDEX"
                     : says("shape") || says("bytes") || says("past the end") ? "SIZE_MISMATCH"
                                                                              : "UNREADABLE";
  findings.Error(code, "", text, "Write the file again from its source; the message says what does not fit");
}

// What was ignored or guessed for the weights to load.
void AddSourceWarnings(const Model& model, Findings& findings) {
  for (const SourceWarning& warning : model.source.warnings) {
    if (warning.code != "TOKENIZER") continue;
    findings.Warning("TOKENIZER", "", warning.text, "Convert the model again, or take its Hugging Face folder");
  }
  if (model.assets.tokenizer_fault.empty()) return;
  findings.Warning("TOKENIZER", "", absl::StrCat("the tokenizer cannot be used: ", model.assets.tokenizer_fault),
                   "Only token ids can be used with this file; take the model's Hugging Face folder for text");
}

void CheckFinite(const Model& model, Findings& findings) {
  for (const NonFiniteWeight& weight : NonFiniteWeights(model, static_cast<int>(std::thread::hardware_concurrency()))) {
    findings.Error(
        "NON_FINITE", weight.parameter, Describe(weight),
        "Write the file again from sound weights: an overflow while training or converting makes such values");
  }
}

// The first part's metadata is the model's.
void AddRawPart(RawGguf part, RawGguf& raw) {
  raw.files.insert(raw.files.end(), part.files.begin(), part.files.end());
  raw.tensors.merge(part.tensors);
  if (raw.files.size() == 1) raw.metadata = std::move(part.metadata);
}

class Linter {
 public:
  Linter(const fs::path& path, const LintOptions& options, v1::LintReport& report)
      : path_(path), options_(options), report_(report), findings_(report) {}

  absl::Status Run() {
    TERSOR_RETURN_IF_ERROR(ReadReference());
    if (fs::is_directory(path_)) return IsContainer(path_) ? LintContainer() : LintFolder();
    return IsSafetensorsFile(path_) ? LintSafetensors() : LintGguf();
  }

 private:
  absl::Status ReadReference() {
    if (options_.reference.empty()) return absl::OkStatus();
    absl::StatusOr<Model> reference = LoadModel(options_.reference);
    if (!reference.ok()) return Annotate(reference.status(), "the reference");
    reference_ = *std::move(reference);
    report_.set_reference(options_.reference.string());
    return absl::OkStatus();
  }
  const Model* reference() const { return reference_ ? &*reference_ : nullptr; }

  // Nothing where the model cannot be loaded, which is then a finding.
  std::optional<Model> Load() {
    absl::StatusOr<Model> model = LoadModel(path_);
    if (model.ok()) {
      AddSourceWarnings(*model, findings_);
      CheckFinite(*model, findings_);
      return *std::move(model);
    }
    AddLoadError(model.status(), findings_);
    return std::nullopt;
  }

  absl::Status LintContainer() {
    report_.set_format("tersor");
    const std::optional<Model> model = Load();
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    int64_t compared = 0;
    if (model) CompareContainer(path_, *model, findings_, compared);
    report_.set_compared_tensors(compared);
    return absl::OkStatus();
  }

  absl::Status LintSafetensors() {
    report_.set_format("safetensors");
    int64_t compared = 0;
    CheckSafetensorsFile(path_, findings_, compared);
    report_.set_compared_tensors(compared);
    return absl::OkStatus();
  }

  absl::Status LintFolder() {
    const RawFolder raw = ReadRawFolder(path_, findings_);
    report_.set_format("huggingface");
    const bool quantized = raw.config.is_object() && raw.config.contains("quantization_config") &&
                           raw.config["quantization_config"].is_object();
    if (quantized) CheckConfigKeys(raw.config["quantization_config"], findings_);
    const std::optional<Model> model = Load();
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    if (!quantized) {
      int64_t compared = 0;
      if (model) CompareFloats(raw, *model, findings_, compared);
      report_.set_compared_tensors(compared);
      return absl::OkStatus();
    }
    const nlohmann::json method = raw.config["quantization_config"].value("quant_method", nlohmann::json());
    if (method.is_string()) report_.set_format(method.get<std::string>());
    if (method == "gptq") CheckGptqLayers(raw, reference(), findings_);
    if (method == "awq") CheckAwqLayers(raw, reference(), findings_);
    if (method == "compressed-tensors") CheckCompressedTensorsLayers(raw, reference(), findings_);
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    if (model) Compare(raw, method, *model);
    return absl::OkStatus();
  }

  void Compare(const RawFolder& raw, const nlohmann::json& method, const Model& model) {
    std::vector<RawLayer> layers;
    const nlohmann::json& config = raw.config["quantization_config"];
    if (method == "gptq") layers = GptqLayers(raw, DeclaredGptqReading(config));
    if (method == "gptq") CorrectSymmetricZeros(config, layers);
    if (method == "awq") layers = AwqLayers(raw, {0, true, true, false});
    if (method == "compressed-tensors") layers = CompressedTensorsLayers(raw, {});
    int64_t compared = 0;
    CompareLayers(layers, model, findings_, compared);
    report_.set_compared_tensors(compared);
  }

  absl::Status LintGguf() {
    report_.set_format("gguf");
    RawGguf raw;
    for (const fs::path& part : GgufPartPaths(path_)) {
      // Loading tells of a part that is missing.
      std::error_code error;
      if (fs::exists(part, error)) AddRawPart(ReadRawGguf(part, findings_), raw);
    }
    const std::optional<Model> model = Load();
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    if (!model) return absl::OkStatus();
    CheckRopeRows(raw, *model, reference(), findings_);
    int64_t compared = 0;
    CompareGguf(raw, *model, findings_, compared);
    report_.set_compared_tensors(compared);
    return absl::OkStatus();
  }

  const fs::path& path_;
  const LintOptions& options_;
  v1::LintReport& report_;
  Findings findings_;
  std::optional<Model> reference_;
};

}  // namespace

absl::StatusOr<v1::LintReport> LintArtifact(const fs::path& path, const LintOptions& options) {
  std::error_code error;
  if (!fs::exists(path, error)) return absl::NotFoundError(absl::StrCat("nothing at ", path.string()));
  v1::LintReport report;
  report.set_path(path.string());
  const absl::Status status = Linter(path, options, report).Run();
  // A file that changed meanwhile explains whatever was found.
  TERSOR_RETURN_IF_ERROR(CheckMappedInputs());
  TERSOR_RETURN_IF_ERROR(status);
  std::stable_sort(report.mutable_findings()->begin(), report.mutable_findings()->end(),
                   [](const v1::LintFinding& a, const v1::LintFinding& b) { return a.severity() > b.severity(); });
  return report;
}

bool HasErrors(const v1::LintReport& report) {
  return std::any_of(report.findings().begin(), report.findings().end(),
                     [](const v1::LintFinding& finding) { return finding.severity() == v1::LINT_SEVERITY_ERROR; });
}

}  // namespace tersor
