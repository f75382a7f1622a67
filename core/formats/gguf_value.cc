#include "core/formats/gguf_value.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "core/formats/byte_cursor.h"

namespace tersor {
namespace {

template <typename T, typename Fallback>
absl::StatusOr<T> OrElse(absl::StatusOr<T> value, const Fallback& fallback) {
  if (absl::IsNotFound(value.status())) return T(fallback);
  return value;
}

// The items, which are of type T in the file.
template <typename T, typename Value>
std::vector<Value> Items(const GgufArray& array) {
  std::vector<Value> values;
  values.reserve(array.count);
  for (uint64_t i = 0; i < array.count; ++i) {
    T item;
    std::memcpy(&item, array.bytes.data() + i * sizeof(T), sizeof(T));
    if constexpr (std::is_same_v<T, uint64_t>) item = std::min<T>(item, std::numeric_limits<int64_t>::max());
    values.push_back(static_cast<Value>(item));
  }
  return values;
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

absl::StatusOr<GgufArray> GgufMetadata::Array(absl::string_view key, absl::string_view wanted) const {
  TERSOR_ASSIGN_OR_RETURN(const GgufArray array, As<GgufArray>(key, wanted));
  if (array.count <= kMaxGgufItems) return array;
  return absl::InvalidArgumentError(
      absl::StrCat("metadata key ", key, " has ", array.count, " items; at most ", kMaxGgufItems, " are read"));
}

absl::StatusOr<std::vector<int64_t>> GgufMetadata::Integers(absl::string_view key) const {
  TERSOR_ASSIGN_OR_RETURN(const GgufArray array, Array(key, "an array of integers"));
  switch (array.type) {
    case kGgufUint8:
    case kGgufBool:
      return Items<uint8_t, int64_t>(array);
    case kGgufInt8:
      return Items<int8_t, int64_t>(array);
    case kGgufUint16:
      return Items<uint16_t, int64_t>(array);
    case kGgufInt16:
      return Items<int16_t, int64_t>(array);
    case kGgufUint32:
      return Items<uint32_t, int64_t>(array);
    case kGgufInt32:
      return Items<int32_t, int64_t>(array);
    case kGgufUint64:
      return Items<uint64_t, int64_t>(array);
    case kGgufInt64:
      return Items<int64_t, int64_t>(array);
    default:
      return absl::InvalidArgumentError(absl::StrCat("metadata key ", key, " is not an array of integers"));
  }
}

absl::StatusOr<std::vector<double>> GgufMetadata::Floats(absl::string_view key) const {
  TERSOR_ASSIGN_OR_RETURN(const GgufArray array, Array(key, "an array of floats"));
  if (array.type == kGgufFloat32) return Items<float, double>(array);
  if (array.type == kGgufFloat64) return Items<double, double>(array);
  return absl::InvalidArgumentError(absl::StrCat("metadata key ", key, " is not an array of floats"));
}

absl::StatusOr<std::vector<std::string>> GgufMetadata::Strings(absl::string_view key) const {
  TERSOR_ASSIGN_OR_RETURN(const GgufArray array, Array(key, "an array of strings"));
  if (array.type != kGgufString) {
    return absl::InvalidArgumentError(absl::StrCat("metadata key ", key, " is not an array of strings"));
  }
  ByteCursor cursor(array.bytes);
  std::vector<std::string> strings(array.count);
  for (std::string& text : strings) {
    TERSOR_ASSIGN_OR_RETURN(text, cursor.ReadString(key));
  }
  return strings;
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
