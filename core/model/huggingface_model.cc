#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/input_file.h"
#include "core/encoding/dense_tensor.h"
#include "core/formats/json_text.h"
#include "core/formats/quantization_settings.h"
#include "core/formats/quantized_weights.h"
#include "core/formats/safetensors.h"
#include "core/model/architecture.h"
#include "core/model/config_json.h"
#include "core/model/huggingface_assets.h"
#include "core/model/model_source.h"
#include "core/model/parameter_table.h"

namespace tersor {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;

// Buffers that older checkpoints store and that are computed from the configuration: angles, and masks.
constexpr std::array kHarmlessEndings = {".rotary_emb.inv_freq", ".rotary_emb.cos_cached", ".rotary_emb.sin_cached",
                                         ".attention.bias",      ".attention.masked_bias", ".attn.bias",
                                         ".attn.masked_bias"};

bool IsHarmless(absl::string_view name) {
  return std::any_of(kHarmlessEndings.begin(), kHarmlessEndings.end(),
                     [&](const char* ending) { return absl::EndsWith(name, ending); });
}

// What the file calls a parameter that it stores for itself.
absl::StatusOr<std::string> FileName(const ModelSpec& spec, absl::string_view parameter, const Safetensors& weights) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
  std::string name(parameter);
  for (const TensorRule& rule : architecture->rules) {
    if (rule.parameters[0] == parameter) name = std::string(rule.file);
  }
  const std::string shorter(absl::StripPrefix(name, architecture->optional_prefix));
  return weights.tensors.count(name) == 0 && weights.tensors.count(shorter) > 0 ? shorter : name;
}

// Tied models may store their head too, as long as it is the embedding, or the head alone.
absl::Status DropTiedHead(const ModelSpec& spec, Safetensors& weights) {
  TERSOR_ASSIGN_OR_RETURN(const std::string head_name, FileName(spec, kHeadName, weights));
  TERSOR_ASSIGN_OR_RETURN(const std::string embedding_name, FileName(spec, kEmbeddingName, weights));
  const auto head = weights.tensors.find(head_name);
  const auto embedding = weights.tensors.find(embedding_name);
  if (head == weights.tensors.end()) return absl::OkStatus();
  if (embedding == weights.tensors.end()) {
    auto node = weights.tensors.extract(head);
    node.key() = embedding_name;
    weights.tensors.insert(std::move(node));
    return absl::OkStatus();
  }
  const Tensor& a = head->second;
  const Tensor& b = embedding->second;
  if (a.dtype() != b.dtype() || a.shape() != b.shape() ||
      !std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end())) {
    return absl::InvalidArgumentError(absl::StrCat("config.json says \"tie_word_embeddings\", but tensor \"", head_name,
                                                   "\" differs from \"", embedding_name, "\""));
  }
  weights.tensors.erase(head);
  return absl::OkStatus();
}

absl::StatusOr<TensorMap> DenseTensors(const Safetensors& weights) {
  TensorMap tensors;
  for (const auto& [name, values] : weights.tensors) {
    if (IsHarmless(name)) continue;
    if (const std::string hint = QuantizedTensorHint(name); !hint.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor \"", name, "\" (", DTypeName(values.dtype()), ") belongs to ", hint));
    }
    absl::StatusOr<EncodedTensorPtr> tensor = DenseTensor::Create(values);
    if (!tensor.ok()) return Annotate(tensor.status(), absl::StrCat("tensor \"", name, "\""));
    tensors.emplace(name, *std::move(tensor));
  }
  return tensors;
}

// Some quantizers give every module a bias; one of zeros that the architecture lacks says nothing.
absl::Status DropZeroBiases(const ModelSpec& spec, TensorMap& tensors) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<FileTensor> files, FileTensors(spec));
  std::set<absl::string_view> known;
  for (const FileTensor& file : files) {
    known.insert(file.name);
    known.insert(absl::StripPrefix(file.name, architecture->optional_prefix));
  }
  for (auto it = tensors.begin(); it != tensors.end();) {
    bool drop = absl::EndsWith(it->first, ".bias") && known.count(it->first) == 0;
    if (drop) {
      const std::vector<float> values = it->second->Decode();
      drop = std::all_of(values.begin(), values.end(), [](float value) { return value == 0; });
    }
    it = drop ? tensors.erase(it) : std::next(it);
  }
  return absl::OkStatus();
}

// Fills in the parameters and what the source says of their quantization.
absl::Status LoadParameters(const nlohmann::json& settings, Safetensors& weights, Model& model) {
  if (model.spec.tied) TERSOR_RETURN_IF_ERROR(DropTiedHead(model.spec, weights));
  TensorMap tensors;
  if (settings.is_null()) {
    TERSOR_ASSIGN_OR_RETURN(tensors, DenseTensors(weights));
  } else {
    std::erase_if(weights.tensors, [](const auto& entry) { return IsHarmless(entry.first); });
    TERSOR_ASSIGN_OR_RETURN(QuantizedWeights quantized, ReadQuantizedWeights(settings, weights));
    tensors = std::move(quantized.tensors);
    TERSOR_RETURN_IF_ERROR(DropZeroBiases(model.spec, tensors));
    model.source.quantization = std::move(quantized.format);
    for (std::string& note : quantized.notes) model.source.warnings.push_back({"WEIGHTS_ONLY", std::move(note)});
  }
  TERSOR_ASSIGN_OR_RETURN(model.parameters, TakeFolderParameters(model.spec, std::move(tensors)));
  return absl::OkStatus();
}

std::string FolderName(const std::filesystem::path& folder) {
  const std::filesystem::path plain = folder.has_filename() ? folder : folder.parent_path();
  return plain.filename().string();
}

}  // namespace

absl::StatusOr<Model> LoadHuggingFace(const std::filesystem::path& folder, bool hash_content) {
  Model model;
  const std::filesystem::path config = folder / "config.json";
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadInputFile(config, kMaxConfigBytes));
  TERSOR_ASSIGN_OR_RETURN(model.spec, SpecFromConfigJson(text, config.string()));
  TERSOR_ASSIGN_OR_RETURN(model.assets, ReadHuggingFaceAssets(folder, model.source.warnings));
  const std::vector<int64_t> stops = GenerationEosIds(
      model.assets.generation_config_json, (folder / "generation_config.json").string(), model.source.warnings);
  std::vector<int64_t>& ids = model.spec.eos_ids;
  for (const int64_t id : stops) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  model.spec.name = FolderName(folder);
  TERSOR_ASSIGN_OR_RETURN(Safetensors weights, ReadSafetensorsFolder(folder));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json json, ParseJsonObject(text, config.string()));
  const auto has_ending = [&](absl::string_view ending) {
    return std::any_of(weights.tensors.begin(), weights.tensors.end(),
                       [&](const auto& entry) { return absl::EndsWith(entry.first, ending); });
  };
  TERSOR_ASSIGN_OR_RETURN(const QuantizationSettings settings, FindQuantizationSettings(json, folder, has_ending));
  absl::Status status = LoadParameters(settings.config, weights, model);
  if (!status.ok()) return Annotate(status, folder.string());
  model.source.path = folder;
  model.source.format = "huggingface";
  TERSOR_ASSIGN_OR_RETURN(model.source.weight_bytes, FileBytes(weights.files));
  if (!hash_content) return model;
  std::vector<std::filesystem::path> files = weights.files;
  files.push_back(config);
  if (!settings.file.empty()) files.push_back(settings.file);
  if (!model.assets.tokenizer_json.empty()) files.push_back(folder / "tokenizer.json");
  std::sort(files.begin(), files.end());
  TERSOR_ASSIGN_OR_RETURN(model.source.sha256, HashFiles(files));
  return model;
}

}  // namespace tersor
