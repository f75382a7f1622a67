// Writes GGUF version 3. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#ifndef TERSOR_CORE_FORMATS_GGUF_WRITER_H_
#define TERSOR_CORE_FORMATS_GGUF_WRITER_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/tensor/tensor.h"

namespace tersor {

// Tensor types without blocks; block types have their ids in gguf_block_types.h.
inline constexpr uint32_t kGgufTypeF32 = 0;
inline constexpr uint32_t kGgufTypeF16 = 1;

// The key-value part of a file, in the order of the calls. A key that is given twice is an error when the file is made.
class GgufMetadataBuilder {
 public:
  void Uint32(absl::string_view key, uint32_t value);
  void Float32(absl::string_view key, float value);
  void Bool(absl::string_view key, bool value);
  void String(absl::string_view key, absl::string_view value);
  void Strings(absl::string_view key, std::span<const std::string> values);
  void Int32s(absl::string_view key, std::span<const int32_t> values);
  void Float32s(absl::string_view key, std::span<const float> values);

  uint64_t count() const { return keys_.size(); }
  const std::string& bytes() const { return bytes_; }
  // INVALID_ARGUMENT names a key that was given twice.
  const absl::Status& status() const { return status_; }

 private:
  void Key(absl::string_view key, uint32_t type);
  void ArrayKey(absl::string_view key, uint32_t type, uint64_t count);

  std::set<std::string> keys_;
  std::string bytes_;
  absl::Status status_;
};

struct GgufTensorDeclaration {
  // At most 63 bytes, which is what ggml holds.
  std::string name;
  uint32_t type = kGgufTypeF32;
  // Row-major, as everywhere in Tersor; the file has it reversed.
  Shape shape;
  uint64_t bytes = 0;
};

// Nothing stands under `path` before Commit. Not thread-safe.
class GgufWriter {
 public:
  static absl::StatusOr<GgufWriter> Create(const std::filesystem::path& path, const GgufMetadataBuilder& metadata,
                                           std::vector<GgufTensorDeclaration> tensors);
  GgufWriter(GgufWriter&&) noexcept;
  GgufWriter& operator=(GgufWriter&&) noexcept;
  ~GgufWriter();

  // Bytes of the tensor that comes next, in declared order; a piece ends with its tensor at most.
  absl::Status Append(std::span<const std::byte> bytes);
  // FAILED_PRECONDITION unless every tensor is complete. The file can be read under temporary_path() from then on.
  absl::Status Seal();
  const std::filesystem::path& temporary_path() const;
  // After Seal: makes the file durable and gives it its name.
  absl::Status Commit();

 private:
  struct State;
  explicit GgufWriter(std::unique_ptr<State> state);
  absl::Status FinishTensors();

  std::unique_ptr<State> state_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_GGUF_WRITER_H_
