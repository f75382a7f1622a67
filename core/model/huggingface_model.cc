#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/encoding/dense_tensor.h"
#include "core/formats/safetensors.h"
#include "core/model/config_json.h"
#include "core/model/huggingface_assets.h"
#include "core/model/model_source.h"
#include "core/model/parameter_table.h"

namespace tersor {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;

// Buffers that older checkpoints store and that are computed from the configuration.
constexpr std::array kHarmlessEndings = {".rotary_emb.inv_freq", ".rotary_emb.cos_cached", ".rotary_emb.sin_cached"};

bool IsHarmless(absl::string_view name) {
  return std::any_of(kHarmlessEndings.begin(), kHarmlessEndings.end(),
                     [&](const char* ending) { return absl::EndsWith(name, ending); });
}

// Tied models may store their head too, as long as it is the embedding.
absl::Status DropTiedHead(Safetensors& weights) {
  const auto head = weights.tensors.find(kHeadName);
  const auto embedding = weights.tensors.find(kEmbeddingName);
  if (head == weights.tensors.end() || embedding == weights.tensors.end()) return absl::OkStatus();
  const Tensor& a = head->second;
  const Tensor& b = embedding->second;
  if (a.dtype() != b.dtype() || a.shape() != b.shape() ||
      !std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end())) {
    return absl::InvalidArgumentError(absl::StrCat("config.json says \"tie_word_embeddings\", but tensor \"", kHeadName,
                                                   "\" differs from \"", kEmbeddingName, "\""));
  }
  weights.tensors.erase(head);
  return absl::OkStatus();
}

absl::StatusOr<TensorMap> DenseTensors(const Safetensors& weights) {
  TensorMap tensors;
  for (const auto& [name, values] : weights.tensors) {
    if (IsHarmless(name)) continue;
    absl::StatusOr<EncodedTensorPtr> tensor = DenseTensor::Create(values);
    if (!tensor.ok()) return Annotate(tensor.status(), absl::StrCat("tensor \"", name, "\""));
    tensors.emplace(name, *std::move(tensor));
  }
  return tensors;
}

absl::StatusOr<TensorMap> LoadParameters(const ModelSpec& spec, Safetensors& weights) {
  if (spec.tied) TERSOR_RETURN_IF_ERROR(DropTiedHead(weights));
  TERSOR_ASSIGN_OR_RETURN(TensorMap tensors, DenseTensors(weights));
  return TakeParameters(spec, std::move(tensors), TensorNames::kHuggingFace);
}

std::string FolderName(const std::filesystem::path& folder) {
  const std::filesystem::path plain = folder.has_filename() ? folder : folder.parent_path();
  return plain.filename().string();
}

}  // namespace

absl::StatusOr<Model> LoadHuggingFace(const std::filesystem::path& folder, bool hash_content) {
  Model model;
  const std::filesystem::path config = folder / "config.json";
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(config, kMaxConfigBytes));
  TERSOR_ASSIGN_OR_RETURN(model.spec, SpecFromConfigJson(text, config.string()));
  TERSOR_ASSIGN_OR_RETURN(model.assets, ReadHuggingFaceAssets(folder));
  TERSOR_ASSIGN_OR_RETURN(
      const std::vector<int64_t> stops,
      GenerationEosIds(model.assets.generation_config_json, (folder / "generation_config.json").string()));
  std::vector<int64_t>& ids = model.spec.eos_ids;
  for (const int64_t id : stops) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  model.spec.name = FolderName(folder);
  TERSOR_ASSIGN_OR_RETURN(Safetensors weights, ReadSafetensorsFolder(folder));
  absl::StatusOr<TensorMap> parameters = LoadParameters(model.spec, weights);
  if (!parameters.ok()) return Annotate(parameters.status(), folder.string());
  model.parameters = *std::move(parameters);
  model.source.path = folder;
  model.source.format = "huggingface";
  TERSOR_ASSIGN_OR_RETURN(model.source.weight_bytes, FileBytes(weights.files));
  if (!hash_content) return model;
  std::vector<std::filesystem::path> files = weights.files;
  files.push_back(config);
  if (!model.assets.tokenizer_json.empty()) files.push_back(folder / "tokenizer.json");
  std::sort(files.begin(), files.end());
  TERSOR_ASSIGN_OR_RETURN(model.source.sha256, HashFiles(files));
  return model;
}

}  // namespace tersor
