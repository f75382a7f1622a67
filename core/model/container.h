// Tersor's own container: a folder that holds a model in any encoding. docs/container_format.md gives every key.
#ifndef TERSOR_CORE_MODEL_CONTAINER_H_
#define TERSOR_CORE_MODEL_CONTAINER_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/model/model.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

inline constexpr absl::string_view kContainerManifestName = "tersor.json";
inline constexpr absl::string_view kContainerWeightsName = "weights.safetensors";

// How the container came to be; part of the manifest. Holds no path and no date, so that equal work gives equal bytes.
struct ContainerOrigin {
  std::string program_version;
  // SHA-256 of the recipe, empty where there was none.
  std::string recipe_sha256;
  // Of the model that was compressed: ModelSource::format, sha256 and weight_bytes.
  std::string source_format;
  std::string source_sha256;
  int64_t source_weight_bytes = 0;
};

struct Container {
  // Tensors view the mapped file; source.path is the folder, source.format "tersor".
  Model model;
  ContainerOrigin origin;
  // SHA-256 of the weights file as the manifest states it.
  std::string weights_sha256;
};

// Writes `folder` under a temporary name, reopens it, compares every byte of every field with `model` and renames it;
// an earlier folder is replaced. `verification` of the answer says what was compared. DATA_LOSS where it reads back
// differently: nothing stands under `folder` then.
absl::StatusOr<v1::ArtifactInfo> WriteContainer(const Model& model, const ContainerOrigin& origin,
                                                const std::filesystem::path& folder);

// Checks everything it reads: INVALID_ARGUMENT names the file and parameter that lies, UNIMPLEMENTED is a container of
// a newer version. `verify_hash` reads all weights and compares their SHA-256; DATA_LOSS where it differs.
absl::StatusOr<Container> ReadContainer(const std::filesystem::path& folder, bool verify_hash = false);

// Whether the folder has a container's manifest.
bool IsContainer(const std::filesystem::path& folder);

// What "size" and "true bits" count: the bytes of weights and manifest.
absl::StatusOr<uint64_t> ContainerBytes(const std::filesystem::path& folder);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_CONTAINER_H_
