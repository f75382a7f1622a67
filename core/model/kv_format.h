// How keys and values of earlier positions are stored.
#ifndef TERSOR_CORE_MODEL_KV_FORMAT_H_
#define TERSOR_CORE_MODEL_KV_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "nlohmann/json_fwd.hpp"

namespace tersor {

// What keys share a scale and a minimum (F16 both). Values always share theirs per token and head.
enum class KvKeys {
  // Those of one token and head, as soon as the token is there.
  kToken,
  // Those of one channel of a head in 64 consecutive positions. The newest group stays float32 while it is the newest:
  // a position reads its own group as float32 and all earlier ones as stored. (KIVI, arXiv 2402.02750.)
  kChannel,
};

struct KvFormat {
  // 2, 4 or 8; 0 is float32, as computed.
  int bits = 0;
  KvKeys keys = KvKeys::kToken;

  bool operator==(const KvFormat&) const = default;
};

// INVALID_ARGUMENT names what no cache can hold.
absl::Status CheckKvFormat(const KvFormat& format);

// "float32", "int8", "int4, keys per channel".
std::string KvFormatName(const KvFormat& format);

// {"bits": 4, "keys": "channel"}; INVALID_ARGUMENT starts with `where`.
nlohmann::json KvFormatToJson(const KvFormat& format);
absl::StatusOr<KvFormat> KvFormatFromJson(const nlohmann::json& json, absl::string_view where);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_KV_FORMAT_H_
