#include "core/pipeline/checkpoint.h"

#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/atomic_file.h"
#include "core/encoding/dense_tensor.h"
#include "core/formats/tensor_shard.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

namespace fs = std::filesystem;

constexpr char kActivations[] = "activations";
constexpr char kDecisions[] = "decisions.json";

// Messages travel in the shard's metadata as base64.
template <typename T>
nlohmann::json EncodeMessages(const std::vector<T>& messages) {
  nlohmann::json list = nlohmann::json::array();
  for (const T& message : messages) list.push_back(absl::Base64Escape(message.SerializeAsString()));
  return list;
}

template <typename T>
absl::StatusOr<std::vector<T>> DecodeMessages(const nlohmann::json& extra, const char* key) {
  const absl::Status damaged = absl::DataLossError(absl::StrCat("checkpoint's ", key, " are missing or damaged"));
  const auto list = extra.find(key);
  if (list == extra.end() || !list->is_array()) return damaged;
  std::vector<T> messages;
  for (const nlohmann::json& item : *list) {
    std::string bytes;
    if (!item.is_string() || !absl::Base64Unescape(item.get<std::string>(), &bytes) ||
        !messages.emplace_back().ParseFromString(bytes)) {
      return damaged;
    }
  }
  return messages;
}

class DiskCheckpoint final : public BlockCheckpoint {
 public:
  explicit DiskCheckpoint(fs::path folder) : folder_(std::move(folder)) {}

  absl::Status Save(const BlockRecord& record, std::span<const float> activations) override {
    EncodedTensors tensors;
    nlohmann::json removed = nlohmann::json::array();
    for (const TensorReplacement& replacement : record.replacements) {
      if (replacement.tensor == nullptr) removed.push_back(replacement.name);
      if (replacement.tensor != nullptr) tensors[replacement.name] = replacement.tensor;
    }
    const nlohmann::json extra = {
        {"removed", removed}, {"layers", EncodeMessages(record.layers)}, {"warnings", EncodeMessages(record.warnings)}};
    TERSOR_RETURN_IF_ERROR(WriteTensorShard(BlockPath(record.block), tensors, extra));
    TERSOR_RETURN_IF_ERROR(SaveActivations(record.block, activations));
    std::error_code ignored;
    if (record.block > 0) fs::remove(ActivationsPath(record.block - 1), ignored);
    return absl::OkStatus();
  }

  absl::Status SaveDecisions(const std::string& decisions) override {
    return WriteFileAtomically(folder_ / kDecisions, decisions);
  }

  absl::StatusOr<std::optional<std::string>> LoadDecisions() override {
    std::error_code error;
    if (!fs::exists(folder_ / kDecisions, error)) return std::nullopt;
    TERSOR_ASSIGN_OR_RETURN(std::string decisions, ReadFile(folder_ / kDecisions));
    return decisions;
  }

  absl::StatusOr<std::optional<SavedWalk>> Load() override {
    const int last = LastComplete();
    if (last < 0) return std::nullopt;
    SavedWalk walk;
    for (int block = 0; block <= last; ++block) {
      TERSOR_ASSIGN_OR_RETURN(BlockRecord record, LoadBlock(block));
      walk.records.push_back(std::move(record));
    }
    TERSOR_ASSIGN_OR_RETURN(const TensorShard shard, ReadTensorShard(ActivationsPath(last)));
    const auto found = shard.tensors.find(kActivations);
    if (found != shard.tensors.end()) walk.activations = found->second->Decode();
    return walk;
  }

 private:
  fs::path BlockPath(int block) const { return folder_ / absl::StrFormat("block-%04d.safetensors", block); }
  fs::path ActivationsPath(int block) const { return folder_ / absl::StrFormat("activations-%04d.safetensors", block); }

  // The activations are written after their block, so their file says that the block is complete.
  int LastComplete() const {
    std::error_code error;
    int last = -1;
    for (int block = 0; fs::exists(BlockPath(block), error); ++block) {
      if (fs::exists(ActivationsPath(block), error)) last = block;
    }
    return last;
  }

  absl::Status SaveActivations(int block, std::span<const float> activations) {
    EncodedTensors tensors;
    if (!activations.empty()) {
      TERSOR_ASSIGN_OR_RETURN(tensors[kActivations],
                              DenseTensor::FromFloats({static_cast<int64_t>(activations.size())},
                                                      std::vector<float>(activations.begin(), activations.end())));
    }
    return WriteTensorShard(ActivationsPath(block), tensors, nlohmann::json::object());
  }

  absl::StatusOr<BlockRecord> LoadBlock(int block) const {
    TERSOR_ASSIGN_OR_RETURN(TensorShard shard, ReadTensorShard(BlockPath(block)));
    BlockRecord record;
    record.block = block;
    for (auto& [name, tensor] : shard.tensors) record.replacements.push_back({name, tensor});
    const auto removed = shard.extra.find("removed");
    if (removed != shard.extra.end()) {
      for (const nlohmann::json& name : *removed) {
        if (name.is_string()) record.replacements.push_back({name.get<std::string>(), nullptr});
      }
    }
    TERSOR_ASSIGN_OR_RETURN(record.layers, DecodeMessages<v1::LayerResult>(shard.extra, "layers"));
    TERSOR_ASSIGN_OR_RETURN(record.warnings, DecodeMessages<v1::Warning>(shard.extra, "warnings"));
    return record;
  }

  fs::path folder_;
};

}  // namespace

std::unique_ptr<BlockCheckpoint> MakeDiskCheckpoint(fs::path folder) {
  return std::make_unique<DiskCheckpoint>(std::move(folder));
}

}  // namespace tersor
