#include "core/model/container.h"

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/input_file.h"
#include "core/base/sha256.h"
#include "core/base/temporary_folder.h"
#include "core/formats/artifact_info.h"
#include "core/formats/json_text.h"
#include "core/formats/tensor_shard.h"
#include "core/model/model_assets.h"
#include "core/model/model_spec_json.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// The newest that is read. A container says the lowest that reads it right: 2 where keys and values are rounded.
constexpr uint64_t kVersion = 2;
constexpr absl::string_view kMagic = "tersor";
constexpr uint64_t kMaxManifestBytes = uint64_t{256} << 20;

fs::path ManifestPath(const fs::path& folder) { return folder / std::string(kContainerManifestName); }
fs::path WeightsPath(const fs::path& folder) { return folder / std::string(kContainerWeightsName); }

nlohmann::json Manifest(const Model& model, const ContainerOrigin& origin, int64_t weights_bytes,
                        const std::string& weights_sha256) {
  nlohmann::json ties = nlohmann::json::array();
  if (model.spec.tied) ties.push_back({kHeadName, kEmbeddingName});
  const bool rounds_cache = model.kv_format.bits != 0;
  nlohmann::json manifest = {
      {"format", kMagic},
      {"version", rounds_cache ? kVersion : 1},
      {"program_version", origin.program_version},
      {"recipe_sha256", origin.recipe_sha256},
      {"source",
       {{"format", origin.source_format},
        {"sha256", origin.source_sha256},
        {"weight_bytes", origin.source_weight_bytes}}},
      {"spec", SpecToJson(model.spec)},
      {"assets",
       {{"licence_id", model.assets.licence_id},
        {"gguf_pre_tokenizer", model.assets.gguf_pre_tokenizer},
        {"add_bos", model.assets.add_bos}}},
      {"ties", std::move(ties)},
      {"weights", {{"file", kContainerWeightsName}, {"bytes", weights_bytes}, {"sha256", weights_sha256}}},
      {"parameters", DescribeTensors(model.parameters)}};
  if (rounds_cache) manifest["kv_cache"] = KvFormatToJson(model.kv_format);
  return manifest;
}

absl::Status WriteFiles(const Model& model, const ContainerOrigin& origin, const fs::path& folder) {
  const fs::path weights = WeightsPath(folder);
  TERSOR_RETURN_IF_ERROR(WriteEncodedTensors(weights, model.parameters, {{"format", "pt"}}));
  TERSOR_ASSIGN_OR_RETURN(const std::string sha256, Sha256HexOfFile(weights));
  std::error_code error;
  const uint64_t bytes = fs::file_size(weights, error);
  if (error) return ErrnoStatus(error.value(), "measuring file", weights);
  TERSOR_RETURN_IF_ERROR(WriteAssetFiles(model.assets, folder));
  const nlohmann::json manifest = Manifest(model, origin, static_cast<int64_t>(bytes), sha256);
  return WriteFileAtomically(ManifestPath(folder), JsonText(manifest, 1) + "\n");
}

// Typed look-ups in the manifest; each fault names the key.
class ManifestReader {
 public:
  ManifestReader(const nlohmann::json& manifest, std::string where) : manifest_(manifest), where_(std::move(where)) {}

  absl::StatusOr<std::string> String(const char* pointer) const {
    TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* value, Find(pointer));
    if (!value->is_string()) return Fault(absl::StrCat(pointer, " is not a string"));
    return value->get<std::string>();
  }
  absl::StatusOr<int64_t> Count(const char* pointer) const {
    TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* value, Find(pointer));
    if (!value->is_number_unsigned() || value->get<uint64_t>() > INT64_MAX) {
      return Fault(absl::StrCat(pointer, " is not a count"));
    }
    return value->get<int64_t>();
  }
  absl::StatusOr<bool> Bool(const char* pointer) const {
    TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* value, Find(pointer));
    if (!value->is_boolean()) return Fault(absl::StrCat(pointer, " is neither true nor false"));
    return value->get<bool>();
  }
  absl::StatusOr<const nlohmann::json*> Find(const char* pointer) const {
    const nlohmann::json::json_pointer path(pointer);
    if (!manifest_.contains(path)) return Fault(absl::StrCat("has no ", pointer));
    return &manifest_[path];
  }
  absl::Status Fault(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(where_, ": ", what));
  }

 private:
  const nlohmann::json& manifest_;
  std::string where_;
};

absl::Status CheckVersion(const ManifestReader& manifest, const std::string& where) {
  TERSOR_ASSIGN_OR_RETURN(const std::string magic, manifest.String("/format"));
  if (magic != kMagic) return manifest.Fault(absl::StrCat("format is \"", magic, "\", not \"", kMagic, "\""));
  TERSOR_ASSIGN_OR_RETURN(const int64_t version, manifest.Count("/version"));
  if (version == 0) return manifest.Fault("version is 0");
  if (version > kVersion) {
    return absl::UnimplementedError(absl::StrCat(where, ": container of version ", version,
                                                 "; this program reads up to ", kVersion, ": update Tersor"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ContainerOrigin> ReadOrigin(const ManifestReader& manifest) {
  ContainerOrigin origin;
  TERSOR_ASSIGN_OR_RETURN(origin.program_version, manifest.String("/program_version"));
  TERSOR_ASSIGN_OR_RETURN(origin.recipe_sha256, manifest.String("/recipe_sha256"));
  TERSOR_ASSIGN_OR_RETURN(origin.source_format, manifest.String("/source/format"));
  TERSOR_ASSIGN_OR_RETURN(origin.source_sha256, manifest.String("/source/sha256"));
  TERSOR_ASSIGN_OR_RETURN(origin.source_weight_bytes, manifest.Count("/source/weight_bytes"));
  return origin;
}

absl::StatusOr<ModelAssets> ReadAssets(const ManifestReader& manifest, const fs::path& folder) {
  TERSOR_ASSIGN_OR_RETURN(ModelAssets assets, ReadAssetFiles(folder));
  TERSOR_ASSIGN_OR_RETURN(assets.licence_id, manifest.String("/assets/licence_id"));
  TERSOR_ASSIGN_OR_RETURN(assets.gguf_pre_tokenizer, manifest.String("/assets/gguf_pre_tokenizer"));
  TERSOR_ASSIGN_OR_RETURN(assets.add_bos, manifest.Bool("/assets/add_bos"));
  return assets;
}

// The manifest's ties must say what the spec says.
absl::Status CheckTies(const ManifestReader& manifest, const Model& model) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* ties, manifest.Find("/ties"));
  nlohmann::json expected = nlohmann::json::array();
  if (model.spec.tied) expected.push_back({kHeadName, kEmbeddingName});
  if (*ties != expected) return manifest.Fault("ties contradict spec.tied");
  if (model.spec.tied && model.parameters.count(kHeadName) > 0) {
    return manifest.Fault(absl::StrCat("\"", kHeadName, "\" is tied and yet a parameter of its own"));
  }
  return absl::OkStatus();
}

absl::Status CheckWeightsFile(const ManifestReader& manifest, const fs::path& weights, bool verify_hash) {
  TERSOR_ASSIGN_OR_RETURN(const std::string name, manifest.String("/weights/file"));
  if (name != kContainerWeightsName) return manifest.Fault(absl::StrCat("weights file \"", name, "\" is unknown"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t bytes, manifest.Count("/weights/bytes"));
  TERSOR_ASSIGN_OR_RETURN(const std::string stated, manifest.String("/weights/sha256"));
  std::error_code error;
  const uint64_t found_bytes = fs::file_size(weights, error);
  if (error) return ErrnoStatus(error.value(), "measuring file", weights);
  if (found_bytes != static_cast<uint64_t>(bytes)) {
    return manifest.Fault(
        absl::StrCat(kContainerWeightsName, " has ", found_bytes, " bytes, the manifest says ", bytes));
  }
  if (!verify_hash) return absl::OkStatus();
  TERSOR_ASSIGN_OR_RETURN(const std::string found, Sha256HexOfFile(weights));
  if (found == stated) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(weights.string(), ": SHA-256 is ", found, ", the manifest says ", stated, ": damaged file"));
}

}  // namespace

bool IsContainer(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(ManifestPath(folder), error);
}

absl::StatusOr<uint64_t> ContainerBytes(const fs::path& folder) {
  uint64_t total = 0;
  for (const fs::path& path : {ManifestPath(folder), WeightsPath(folder)}) {
    std::error_code error;
    const uint64_t bytes = fs::file_size(path, error);
    if (error) return ErrnoStatus(error.value(), "measuring file", path);
    total += bytes;
  }
  return total;
}

absl::StatusOr<Container> ReadContainer(const fs::path& folder, bool verify_hash) {
  const std::string where = ManifestPath(folder).string();
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadInputFile(ManifestPath(folder), kMaxManifestBytes));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json json, ParseJsonObject(text, where));
  const ManifestReader manifest(json, where);
  TERSOR_RETURN_IF_ERROR(CheckVersion(manifest, where));

  Container container;
  TERSOR_ASSIGN_OR_RETURN(container.origin, ReadOrigin(manifest));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* spec, manifest.Find("/spec"));
  TERSOR_ASSIGN_OR_RETURN(container.model.spec, SpecFromJson(*spec, absl::StrCat(where, ": spec")));
  if (json.contains("kv_cache")) {
    TERSOR_ASSIGN_OR_RETURN(container.model.kv_format,
                            KvFormatFromJson(json["kv_cache"], absl::StrCat(where, ": kv_cache")));
  }
  TERSOR_ASSIGN_OR_RETURN(container.model.assets, ReadAssets(manifest, folder));
  TERSOR_RETURN_IF_ERROR(CheckWeightsFile(manifest, WeightsPath(folder), verify_hash));
  TERSOR_ASSIGN_OR_RETURN(const Safetensors weights, ReadSafetensors(WeightsPath(folder)));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* parameters, manifest.Find("/parameters"));
  TERSOR_ASSIGN_OR_RETURN(container.model.parameters, RebuildTensors(weights, *parameters, where));
  TERSOR_RETURN_IF_ERROR(CheckTies(manifest, container.model));
  TERSOR_ASSIGN_OR_RETURN(container.weights_sha256, manifest.String("/weights/sha256"));
  TERSOR_ASSIGN_OR_RETURN(container.model.source.weight_bytes, manifest.Count("/weights/bytes"));
  container.model.source.path = folder;
  container.model.source.format = std::string(kMagic);
  return container;
}

absl::StatusOr<v1::ArtifactInfo> WriteContainer(const Model& model, const ContainerOrigin& origin,
                                                const fs::path& folder) {
  TERSOR_ASSIGN_OR_RETURN(TemporaryFolder temporary, TemporaryFolder::Create(folder));
  TERSOR_RETURN_IF_ERROR(WriteFiles(model, origin, temporary.path()));
  TERSOR_ASSIGN_OR_RETURN(const Container found, ReadContainer(temporary.path(), /*verify_hash=*/true));
  TERSOR_RETURN_IF_ERROR(CompareEncodedTensors(model.parameters, found.model.parameters));
  if (SpecToJson(found.model.spec) != SpecToJson(model.spec) || found.model.kv_format != model.kv_format) {
    return absl::DataLossError(absl::StrCat(folder.string(), ": the spec reads back differently than it was written"));
  }
  TERSOR_ASSIGN_OR_RETURN(v1::ArtifactInfo info, DescribeArtifact(kMagic, temporary.path()));
  TERSOR_RETURN_IF_ERROR(temporary.Commit());
  info.set_path((folder.has_filename() ? folder : folder.parent_path()).filename().string());
  info.set_verification(absl::StrCat("reopened; all fields of ", model.parameters.size(),
                                     " parameters equal what was evaluated, byte for byte"));
  return info;
}

}  // namespace tersor
