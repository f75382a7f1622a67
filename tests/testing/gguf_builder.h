// Builds GGUF files byte by byte, lying ones too.
#ifndef TERSOR_TESTS_TESTING_GGUF_BUILDER_H_
#define TERSOR_TESTS_TESTING_GGUF_BUILDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tersor::testing {

// Numbers of GGUF's types.
inline constexpr uint32_t kGgufF32 = 0;
inline constexpr uint32_t kGgufQ4_1 = 3;
inline constexpr uint32_t kGgufQ8_0 = 8;

struct GgufTestTensor {
  std::string name;
  // GGUF's order: the row length first.
  std::vector<uint64_t> dimensions;
  uint32_t type = kGgufF32;
  std::string bytes;
  // Where the table says that the bytes are; the next aligned place where unset.
  std::optional<uint64_t> offset;
};

// Not thread-safe. Public members override what the header says.
class GgufBuilder {
 public:
  uint32_t magic = 0x46554747;
  uint32_t version = 3;
  std::optional<uint64_t> tensor_count;
  std::optional<uint64_t> metadata_count;
  uint64_t alignment = 32;

  GgufBuilder& String(const std::string& key, const std::string& value);
  GgufBuilder& U32(const std::string& key, uint32_t value);
  GgufBuilder& F32(const std::string& key, float value);
  GgufBuilder& Bool(const std::string& key, bool value);
  GgufBuilder& Strings(const std::string& key, const std::vector<std::string>& values);
  GgufBuilder& I32s(const std::string& key, const std::vector<int32_t>& values);
  // A pair whose value's bytes are given as they are.
  GgufBuilder& Raw(const std::string& key, uint32_t type, const std::string& value);
  GgufBuilder& Tensor(GgufTestTensor tensor);
  // An F32 tensor of given values.
  GgufBuilder& Floats(const std::string& name, std::vector<uint64_t> dimensions, const std::vector<float>& values);

  std::string Bytes() const;

 private:
  std::string metadata_;
  uint64_t pairs_ = 0;
  std::vector<GgufTestTensor> tensors_;
};

// Little-endian bytes of a number.
template <typename T>
std::string Little(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_TESTING_GGUF_BUILDER_H_
