#include "core/formats/json_fields.h"

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

absl::Status Wrong(absl::string_view key, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is not ", wanted));
}

absl::StatusOr<int64_t> AsInteger(const nlohmann::json& value, absl::string_view key, int64_t low, int64_t high) {
  if (!value.is_number_integer()) return Wrong(key, "a whole number");
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", key, "\" is ", value.get<uint64_t>(), ", outside ", low, "..", high));
  }
  const int64_t number = value.get<int64_t>();
  if (number < low || number > high) {
    return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is ", number, ", outside ", low, "..", high));
  }
  return number;
}

}  // namespace

const nlohmann::json* JsonFields::Find(absl::string_view key) const {
  const auto it = object_.find(std::string(key));
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

absl::StatusOr<int64_t> JsonFields::Integer(absl::string_view key, int64_t low, int64_t high) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is missing"));
  return AsInteger(*value, key, low, high);
}

absl::StatusOr<int64_t> JsonFields::IntegerOr(absl::string_view key, int64_t low, int64_t high,
                                              int64_t fallback) const {
  return Has(key) ? Integer(key, low, high) : fallback;
}

absl::StatusOr<double> JsonFields::Number(absl::string_view key) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is missing"));
  if (!value->is_number()) return Wrong(key, "a number");
  return value->get<double>();
}

absl::StatusOr<double> JsonFields::NumberOr(absl::string_view key, double fallback) const {
  return Has(key) ? Number(key) : fallback;
}

absl::StatusOr<bool> JsonFields::BoolOr(absl::string_view key, bool fallback) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return Wrong(key, "true or false");
  return value->get<bool>();
}

absl::StatusOr<std::string> JsonFields::StringOr(absl::string_view key, absl::string_view fallback) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) return Wrong(key, "a string");
  return value->get<std::string>();
}

absl::StatusOr<std::vector<std::string>> JsonFields::StringsOrNone(absl::string_view key) const {
  std::vector<std::string> strings;
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return strings;
  if (!value->is_array()) return Wrong(key, "a list of strings");
  for (const nlohmann::json& item : *value) {
    if (!item.is_string()) return Wrong(key, "a list of strings");
    strings.push_back(item.get<std::string>());
  }
  return strings;
}

absl::StatusOr<std::vector<int64_t>> JsonFields::IntegersOrNone(absl::string_view key, int64_t low,
                                                                int64_t high) const {
  std::vector<int64_t> integers;
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return integers;
  const nlohmann::json items = value->is_array() ? *value : nlohmann::json::array({*value});
  for (const nlohmann::json& item : items) {
    TERSOR_ASSIGN_OR_RETURN(const int64_t integer, AsInteger(item, key, low, high));
    integers.push_back(integer);
  }
  return integers;
}

}  // namespace tersor
