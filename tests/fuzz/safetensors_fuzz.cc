// safetensors: every tensor that is accepted lies within the file.
#include <cstdlib>
#include <vector>

#include "core/formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tersor;
  const auto bytes = std::as_bytes(std::span<const uint8_t>(data, size));
  const absl::StatusOr<Safetensors> file = ParseSafetensors(bytes, /*owner=*/nullptr, "fuzz.safetensors");
  if (!file.ok()) return 0;
  for (const auto& [name, tensor] : file->tensors) {
    const std::span<const std::byte> view = tensor.bytes();
    if (!view.empty() && (view.data() < bytes.data() || view.data() + view.size() > bytes.data() + size)) std::abort();
    std::vector<float> values(static_cast<size_t>(tensor.elements()));
    DecodeToFloat(tensor, 0, tensor.elements(), values.data()).IgnoreError();
  }
  return 0;
}
