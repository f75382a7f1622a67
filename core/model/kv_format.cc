#include "core/model/kv_format.h"

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace tersor {

absl::Status CheckKvFormat(const KvFormat& format) {
  if (format.bits == 2 || format.bits == 4 || format.bits == 8) return absl::OkStatus();
  if (format.bits == 0 && format.keys == KvKeys::kToken) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("keys and values of ", format.bits, " bits; known: 2, 4, 8"));
}

std::string KvFormatName(const KvFormat& format) {
  if (format.bits == 0) return "float32";
  return absl::StrCat("int", format.bits, format.keys == KvKeys::kChannel ? ", keys per channel" : "");
}

nlohmann::json KvFormatToJson(const KvFormat& format) {
  return {{"bits", format.bits}, {"keys", format.keys == KvKeys::kChannel ? "channel" : "token"}};
}

absl::StatusOr<KvFormat> KvFormatFromJson(const nlohmann::json& json, absl::string_view where) {
  const auto fault = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
  };
  // Made numbers are signed, parsed ones unsigned.
  if (!json.is_object() || json.size() != 2 || !json.contains("bits") || !json["bits"].is_number_integer() ||
      json["bits"] < 0 || json["bits"] > 8 || !json.contains("keys") || !json["keys"].is_string()) {
    return fault("not {\"bits\": 2, 4 or 8, \"keys\": \"token\" or \"channel\"}");
  }
  const std::string keys = json["keys"].get<std::string>();
  if (keys != "token" && keys != "channel") return fault(absl::StrCat("unknown keys \"", keys, "\""));
  const KvFormat format{json["bits"].get<int>(), keys == "channel" ? KvKeys::kChannel : KvKeys::kToken};
  if (const absl::Status status = CheckKvFormat(format); !status.ok()) return fault(status.message());
  return format;
}

}  // namespace tersor
