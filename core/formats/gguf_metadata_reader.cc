#include "core/formats/gguf_metadata_reader.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// Numbers of the value types.
enum ValueType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

// Shortest possible key-value pair: an empty key's length, a type, a value of one byte.
constexpr size_t kPairBytes = 13;

template <typename T>
absl::StatusOr<GgufValue> ReadInteger(ByteCursor& cursor, absl::string_view what) {
  TERSOR_ASSIGN_OR_RETURN(const T value, cursor.Read<T>(what));
  if constexpr (sizeof(T) == 8 && !std::numeric_limits<T>::is_signed) {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return GgufValue(static_cast<double>(value));
    }
  }
  return GgufValue(static_cast<int64_t>(value));
}

template <typename T>
absl::StatusOr<GgufValue> ReadFloat(ByteCursor& cursor, absl::string_view what) {
  TERSOR_ASSIGN_OR_RETURN(const T value, cursor.Read<T>(what));
  return GgufValue(static_cast<double>(value));
}

absl::StatusOr<GgufValue> ReadScalar(ByteCursor& cursor, uint32_t type, absl::string_view what) {
  switch (type) {
    case kUint8:
      return ReadInteger<uint8_t>(cursor, what);
    case kInt8:
      return ReadInteger<int8_t>(cursor, what);
    case kUint16:
      return ReadInteger<uint16_t>(cursor, what);
    case kInt16:
      return ReadInteger<int16_t>(cursor, what);
    case kUint32:
      return ReadInteger<uint32_t>(cursor, what);
    case kInt32:
      return ReadInteger<int32_t>(cursor, what);
    case kUint64:
      return ReadInteger<uint64_t>(cursor, what);
    case kInt64:
      return ReadInteger<int64_t>(cursor, what);
    case kFloat32:
      return ReadFloat<float>(cursor, what);
    case kFloat64:
      return ReadFloat<double>(cursor, what);
    case kBool: {
      TERSOR_ASSIGN_OR_RETURN(const uint8_t value, cursor.Read<uint8_t>(what));
      return GgufValue(value != 0);
    }
    case kString: {
      TERSOR_ASSIGN_OR_RETURN(std::string value, cursor.ReadString(what));
      return GgufValue(std::move(value));
    }
    default:
      return absl::InvalidArgumentError(absl::StrCat(what, " has the unknown value type ", type));
  }
}

// Bytes that one value of a type takes at least; 0 for what cannot stand in an array.
size_t ItemBytes(uint32_t type) {
  switch (type) {
    case kUint8:
    case kInt8:
    case kBool:
      return 1;
    case kUint16:
    case kInt16:
      return 2;
    case kUint32:
    case kInt32:
    case kFloat32:
      return 4;
    case kString:
    case kUint64:
    case kInt64:
    case kFloat64:
      return 8;
    default:
      return 0;
  }
}

int64_t AsInteger(const GgufValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  if (const int64_t* integer = std::get_if<int64_t>(&value)) return *integer;
  // An unsigned value beyond int64.
  return std::numeric_limits<int64_t>::max();
}

template <typename T, typename Convert>
absl::StatusOr<GgufValue> ReadItems(ByteCursor& cursor, uint32_t type, uint64_t count, absl::string_view what,
                                    Convert convert) {
  std::vector<T> items;
  items.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    TERSOR_ASSIGN_OR_RETURN(GgufValue value, ReadScalar(cursor, type, what));
    items.push_back(convert(value));
  }
  return GgufValue(std::move(items));
}

absl::StatusOr<GgufValue> ReadArray(ByteCursor& cursor, absl::string_view what) {
  TERSOR_ASSIGN_OR_RETURN(const uint32_t type, cursor.Read<uint32_t>(what));
  TERSOR_ASSIGN_OR_RETURN(const uint64_t count, cursor.Read<uint64_t>(what));
  const size_t item_bytes = ItemBytes(type);
  if (type == kArray) return absl::InvalidArgumentError(absl::StrCat(what, " is an array of arrays"));
  if (item_bytes == 0) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is an array of the unknown value type ", type));
  }
  TERSOR_RETURN_IF_ERROR(cursor.NeedItems(count, item_bytes, what));
  if (type == kString) {
    return ReadItems<std::string>(cursor, type, count, what,
                                  [](GgufValue& value) { return std::get<std::string>(std::move(value)); });
  }
  if (type == kFloat32 || type == kFloat64) {
    return ReadItems<double>(cursor, type, count, what, [](GgufValue& value) { return std::get<double>(value); });
  }
  return ReadItems<int64_t>(cursor, type, count, what, [](GgufValue& value) { return AsInteger(value); });
}

}  // namespace

absl::Status ReadGgufMetadata(ByteCursor& cursor, uint64_t count, GgufMetadata& metadata) {
  TERSOR_RETURN_IF_ERROR(cursor.NeedItems(count, kPairBytes, "the metadata"));
  for (uint64_t i = 0; i < count; ++i) {
    TERSOR_ASSIGN_OR_RETURN(std::string key, cursor.ReadString(absl::StrCat("metadata key ", i)));
    const std::string what = absl::StrCat("metadata key \"", absl::CHexEscape(key.substr(0, 200)), "\"");
    TERSOR_ASSIGN_OR_RETURN(const uint32_t type, cursor.Read<uint32_t>(what));
    absl::StatusOr<GgufValue> value = type == kArray ? ReadArray(cursor, what) : ReadScalar(cursor, type, what);
    if (!value.ok()) return value.status();
    if (!metadata.Insert(std::move(key), *std::move(value))) {
      return absl::InvalidArgumentError(absl::StrCat(what, " stands twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace tersor
