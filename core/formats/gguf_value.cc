#include "core/formats/gguf_value.h"

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

template <typename T, typename Fallback>
absl::StatusOr<T> OrElse(absl::StatusOr<T> value, const Fallback& fallback) {
  if (absl::IsNotFound(value.status())) return T(fallback);
  return value;
}

}  // namespace

template <typename T>
absl::StatusOr<T> GgufMetadata::As(absl::string_view key, absl::string_view wanted) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return absl::NotFoundError(absl::StrCat("metadata key ", key, " is missing"));
  if (const T* value = std::get_if<T>(&it->second)) return *value;
  return absl::InvalidArgumentError(absl::StrCat("metadata key ", key, " is not ", wanted));
}

absl::StatusOr<int64_t> GgufMetadata::Integer(absl::string_view key) const { return As<int64_t>(key, "an integer"); }

absl::StatusOr<double> GgufMetadata::Float(absl::string_view key) const {
  const auto it = values_.find(key);
  if (it != values_.end() && std::holds_alternative<int64_t>(it->second)) {
    return static_cast<double>(std::get<int64_t>(it->second));
  }
  return As<double>(key, "a number");
}

absl::StatusOr<std::string> GgufMetadata::String(absl::string_view key) const {
  return As<std::string>(key, "a string");
}

absl::StatusOr<bool> GgufMetadata::Bool(absl::string_view key) const { return As<bool>(key, "a bool"); }

absl::StatusOr<std::vector<int64_t>> GgufMetadata::Integers(absl::string_view key) const {
  return As<std::vector<int64_t>>(key, "an array of integers");
}

absl::StatusOr<std::vector<double>> GgufMetadata::Floats(absl::string_view key) const {
  return As<std::vector<double>>(key, "an array of floats");
}

absl::StatusOr<std::vector<std::string>> GgufMetadata::Strings(absl::string_view key) const {
  return As<std::vector<std::string>>(key, "an array of strings");
}

absl::StatusOr<int64_t> GgufMetadata::IntegerOr(absl::string_view key, int64_t fallback) const {
  return OrElse(Integer(key), fallback);
}

absl::StatusOr<double> GgufMetadata::FloatOr(absl::string_view key, double fallback) const {
  return OrElse(Float(key), fallback);
}

absl::StatusOr<std::string> GgufMetadata::StringOr(absl::string_view key, absl::string_view fallback) const {
  return OrElse(String(key), fallback);
}

absl::StatusOr<bool> GgufMetadata::BoolOr(absl::string_view key, bool fallback) const {
  return OrElse(Bool(key), fallback);
}

}  // namespace tersor
