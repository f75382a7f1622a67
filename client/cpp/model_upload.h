// Sends a model that lies on this machine, once.
#ifndef TERSOR_CLIENT_CPP_MODEL_UPLOAD_H_
#define TERSOR_CLIENT_CPP_MODEL_UPLOAD_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cpp/backoff.h"
#include "client/cpp/model_client.h"

namespace tersor::client {

// The files of a model that a server needs, relative to the folder: weights (safetensors, GGUF), JSON, tokenizer
// models, templates, licence and card. For a file it is the file's own name.
absl::StatusOr<std::vector<std::filesystem::path>> ModelFiles(const std::filesystem::path& model);

// What can be said before anything is read whole: NOT_FOUND, or INVALID_ARGUMENT where the path is neither a .gguf file
// nor a folder with config.json or a container's manifest.
absl::Status CheckIsModel(const std::filesystem::path& model);

struct UploadProgress {
  enum class Phase { kHashing, kSending };
  Phase phase = Phase::kHashing;
  std::string file;
  // Of all files together; while sending, what the server had already counts as done.
  int64_t done_bytes = 0;
  int64_t total_bytes = 0;
};

struct UploadOptions {
  const CancellationToken* cancellation = nullptr;
  BackoffOptions backoff;
  // May be null.
  std::function<void(const UploadProgress&)> on_progress;
};

// Hashes the files, sends what the server does not have (also of a transfer that broke off), and registers the model.
absl::StatusOr<v1::Model> UploadModel(const ModelClient& models, const std::filesystem::path& model,
                                      absl::string_view name, const UploadOptions& options);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_MODEL_UPLOAD_H_
