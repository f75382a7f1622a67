// safetensors: 8 bytes of little-endian header length, a JSON header, then the tensors' bytes without holes.
// https://github.com/huggingface/safetensors, "Format".
#ifndef TERSOR_CORE_FORMATS_SAFETENSORS_H_
#define TERSOR_CORE_FORMATS_SAFETENSORS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/tensor/tensor.h"

namespace tersor {

// What one file, or the shards of one folder, hold. Tensors view the mapped files and keep them mapped.
struct Safetensors {
  std::map<std::string, Tensor, std::less<>> tensors;
  // "__metadata__" of the file; of the first shard where there are several.
  std::map<std::string, std::string> metadata;
  std::vector<std::filesystem::path> files;

  // NOT_FOUND names the tensor and the file.
  absl::StatusOr<Tensor> Find(absl::string_view name) const;
};

// INVALID_ARGUMENT names the file and the tensor that lies: offsets past the end, overlaps or holes, a byte count that
// does not fit the shape, an unknown dtype, a key that stands twice.
absl::StatusOr<Safetensors> ReadSafetensors(const std::filesystem::path& path);

// The same over bytes in memory; `owner` keeps them alive, `name` stands in messages for the file.
absl::StatusOr<Safetensors> ParseSafetensors(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                                             absl::string_view name);

// A Hugging Face folder: model.safetensors, else the shards that model.safetensors.index.json lists. A shard must be a
// plain file name and hold each tensor that the index gives it. NOT_FOUND where the folder has neither.
absl::StatusOr<Safetensors> ReadSafetensorsFolder(const std::filesystem::path& folder);

struct TensorDeclaration {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
};

// Writes a file whose tensors' sizes are known before their bytes. Nothing stands under `path` before Finish.
// Not thread-safe.
class SafetensorsWriter {
 public:
  // INVALID_ARGUMENT for a name that stands twice, is empty or is "__metadata__", and for shapes out of range.
  static absl::StatusOr<SafetensorsWriter> Create(const std::filesystem::path& path,
                                                  std::vector<TensorDeclaration> tensors,
                                                  const std::map<std::string, std::string>& metadata);

  // The order in which bytes must come: wide types first, so that every tensor is aligned for its type, then by name.
  const std::vector<TensorDeclaration>& order() const { return order_; }

  // Bytes of the tensor that comes next; in as many pieces as the caller likes, a piece ends with its tensor at most.
  absl::Status Append(std::span<const std::byte> bytes);
  // All bytes of one tensor, which must be the next one.
  absl::Status AppendTensor(absl::string_view name, const Tensor& tensor);
  // FAILED_PRECONDITION unless every tensor is complete. Makes the file durable and gives it its name.
  absl::Status Finish();
  // Where the bytes lie until Finish.
  const std::filesystem::path& temporary_path() const;

  SafetensorsWriter(SafetensorsWriter&&) noexcept;
  SafetensorsWriter& operator=(SafetensorsWriter&&) noexcept;
  ~SafetensorsWriter();

 private:
  struct State;
  SafetensorsWriter(std::unique_ptr<State> state, std::vector<TensorDeclaration> order);
  void PassOverComplete();
  std::unique_ptr<State> state_;
  std::vector<TensorDeclaration> order_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_SAFETENSORS_H_
