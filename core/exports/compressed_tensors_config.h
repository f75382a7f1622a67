// compressed-tensors' "quantization_config" of config.json for format "pack-quantized".
// https://github.com/vllm-project/compressed-tensors
#ifndef TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_CONFIG_H_
#define TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_CONFIG_H_

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/exports/export_subject.h"
#include "nlohmann/json.hpp"

namespace tersor {

// How a module's weight is packed.
struct PackedScheme {
  int bits = 4;
  // 0: one scale a row (strategy "channel").
  int64_t group_size = 0;
  bool symmetric = true;

  auto operator<=>(const PackedScheme&) const = default;
};

struct CompressedTensorsPlan {
  // Module -> scheme, for the modules that are packed.
  std::map<std::string, PackedScheme, std::less<>> packed;
  // Linear modules that stay dense, the head of a tied model among them.
  std::vector<std::string> ignore;
};

// INVALID_ARGUMENT names the layers whose bits the format cannot hold, and a model without a packed layer.
absl::StatusOr<CompressedTensorsPlan> PlanCompressedTensors(const ExportSubject& subject);

nlohmann::json CompressedTensorsConfig(const CompressedTensorsPlan& plan);

// The scheme of each of `modules` by such a config's groups. INVALID_ARGUMENT says what is wrong, or which module no
// group names.
absl::StatusOr<std::map<std::string, PackedScheme, std::less<>>> ParseCompressedTensorsConfig(
    const nlohmann::json& config, const std::vector<std::string>& modules);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_COMPRESSED_TENSORS_CONFIG_H_
