// Typed look-ups in a JSON object from a stranger.
#ifndef TERSOR_CORE_FORMATS_JSON_FIELDS_H_
#define TERSOR_CORE_FORMATS_JSON_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "nlohmann/json.hpp"

namespace tersor {

// A null counts as a missing key. Every error is INVALID_ARGUMENT and names the key. The object must outlive this.
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& object) : object_(object) {}

  // Null where the key is missing.
  const nlohmann::json* Find(absl::string_view key) const;
  bool Has(absl::string_view key) const { return Find(key) != nullptr; }
  // True for a null too.
  bool HasKey(absl::string_view key) const { return object_.contains(std::string(key)); }

  // The value lies in low..high.
  absl::StatusOr<int64_t> Integer(absl::string_view key, int64_t low, int64_t high) const;
  absl::StatusOr<int64_t> IntegerOr(absl::string_view key, int64_t low, int64_t high, int64_t fallback) const;
  absl::StatusOr<double> Number(absl::string_view key) const;
  absl::StatusOr<double> NumberOr(absl::string_view key, double fallback) const;
  absl::StatusOr<bool> BoolOr(absl::string_view key, bool fallback) const;
  absl::StatusOr<std::string> StringOr(absl::string_view key, absl::string_view fallback) const;
  absl::StatusOr<std::vector<std::string>> StringsOrNone(absl::string_view key) const;
  // One integer or a list of them, each in low..high; none where the key is missing.
  absl::StatusOr<std::vector<int64_t>> IntegersOrNone(absl::string_view key, int64_t low, int64_t high) const;

 private:
  const nlohmann::json& object_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_JSON_FIELDS_H_
