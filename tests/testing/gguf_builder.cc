#include "tests/testing/gguf_builder.h"

#include <utility>

namespace tersor::testing {
namespace {

std::string Text(const std::string& text) { return Little<uint64_t>(text.size()) + text; }

}  // namespace

GgufBuilder& GgufBuilder::Raw(const std::string& key, uint32_t type, const std::string& value) {
  metadata_ += Text(key) + Little(type) + value;
  ++pairs_;
  return *this;
}

GgufBuilder& GgufBuilder::String(const std::string& key, const std::string& value) { return Raw(key, 8, Text(value)); }
GgufBuilder& GgufBuilder::U32(const std::string& key, uint32_t value) { return Raw(key, 4, Little(value)); }
GgufBuilder& GgufBuilder::F32(const std::string& key, float value) { return Raw(key, 6, Little(value)); }
GgufBuilder& GgufBuilder::Bool(const std::string& key, bool value) { return Raw(key, 7, std::string(1, value)); }

GgufBuilder& GgufBuilder::Strings(const std::string& key, const std::vector<std::string>& values) {
  std::string bytes = Little<uint32_t>(8) + Little<uint64_t>(values.size());
  for (const std::string& value : values) bytes += Text(value);
  return Raw(key, 9, bytes);
}

GgufBuilder& GgufBuilder::I32s(const std::string& key, const std::vector<int32_t>& values) {
  std::string bytes = Little<uint32_t>(5) + Little<uint64_t>(values.size());
  for (const int32_t value : values) bytes += Little(value);
  return Raw(key, 9, bytes);
}

GgufBuilder& GgufBuilder::Tensor(GgufTestTensor tensor) {
  tensors_.push_back(std::move(tensor));
  return *this;
}

GgufBuilder& GgufBuilder::Floats(const std::string& name, std::vector<uint64_t> dimensions,
                                 const std::vector<float>& values) {
  std::string bytes;
  for (const float value : values) bytes += Little(value);
  return Tensor({name, std::move(dimensions), kGgufF32, std::move(bytes), std::nullopt});
}

std::string GgufBuilder::Bytes() const {
  std::string table;
  std::string data;
  for (const GgufTestTensor& tensor : tensors_) {
    data.append((alignment - data.size() % alignment) % alignment, '\0');
    table += Text(tensor.name) + Little(static_cast<uint32_t>(tensor.dimensions.size()));
    for (const uint64_t dimension : tensor.dimensions) table += Little(dimension);
    table += Little(tensor.type) + Little(tensor.offset.value_or(data.size()));
    data += tensor.bytes;
  }
  std::string bytes = Little(magic) + Little(version) + Little(tensor_count.value_or(tensors_.size())) +
                      Little(metadata_count.value_or(pairs_)) + metadata_ + table;
  bytes.append((alignment - bytes.size() % alignment) % alignment, '\0');
  return bytes + data;
}

}  // namespace tersor::testing
