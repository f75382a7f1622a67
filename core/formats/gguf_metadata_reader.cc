#include "core/formats/gguf_metadata_reader.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// Shortest possible key-value pair: an empty key's length, a type, a value of one byte.
constexpr size_t kPairBytes = 13;

// Real files have some dozens of pairs; the format's own limit for keys; a chat template is the longest text.
constexpr uint64_t kMaxPairs = 1 << 16;
constexpr size_t kMaxKeyBytes = 65535;
constexpr size_t kMaxTextBytes = size_t{16} << 20;

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
    case kGgufUint8:
      return ReadInteger<uint8_t>(cursor, what);
    case kGgufInt8:
      return ReadInteger<int8_t>(cursor, what);
    case kGgufUint16:
      return ReadInteger<uint16_t>(cursor, what);
    case kGgufInt16:
      return ReadInteger<int16_t>(cursor, what);
    case kGgufUint32:
      return ReadInteger<uint32_t>(cursor, what);
    case kGgufInt32:
      return ReadInteger<int32_t>(cursor, what);
    case kGgufUint64:
      return ReadInteger<uint64_t>(cursor, what);
    case kGgufInt64:
      return ReadInteger<int64_t>(cursor, what);
    case kGgufFloat32:
      return ReadFloat<float>(cursor, what);
    case kGgufFloat64:
      return ReadFloat<double>(cursor, what);
    case kGgufBool: {
      TERSOR_ASSIGN_OR_RETURN(const uint8_t value, cursor.Read<uint8_t>(what));
      return GgufValue(value != 0);
    }
    case kGgufString: {
      TERSOR_ASSIGN_OR_RETURN(std::string value, cursor.ReadString(what, kMaxTextBytes));
      return GgufValue(std::move(value));
    }
    default:
      return absl::InvalidArgumentError(absl::StrCat(what, " has the unknown value type ", type));
  }
}

// Bytes that one value of a type takes at least; 0 for what cannot stand in an array.
size_t ItemBytes(uint32_t type) {
  switch (type) {
    case kGgufUint8:
    case kGgufInt8:
    case kGgufBool:
      return 1;
    case kGgufUint16:
    case kGgufInt16:
      return 2;
    case kGgufUint32:
    case kGgufInt32:
    case kGgufFloat32:
      return 4;
    case kGgufString:
    case kGgufUint64:
    case kGgufInt64:
    case kGgufFloat64:
      return 8;
    default:
      return 0;
  }
}

// Passes over the strings, so that their lengths are known to be true.
absl::Status PassOverStrings(ByteCursor& cursor, uint64_t count, absl::string_view what) {
  for (uint64_t i = 0; i < count; ++i) {
    TERSOR_ASSIGN_OR_RETURN(const uint64_t length, cursor.Read<uint64_t>(what));
    TERSOR_RETURN_IF_ERROR(cursor.ReadBytes(length, what).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<GgufValue> ReadArray(ByteCursor& cursor, absl::string_view what) {
  GgufArray array;
  TERSOR_ASSIGN_OR_RETURN(array.type, cursor.Read<uint32_t>(what));
  TERSOR_ASSIGN_OR_RETURN(array.count, cursor.Read<uint64_t>(what));
  const size_t item_bytes = ItemBytes(array.type);
  if (array.type == kGgufArray) return absl::InvalidArgumentError(absl::StrCat(what, " is an array of arrays"));
  if (item_bytes == 0) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is an array of the unknown value type ", array.type));
  }
  TERSOR_RETURN_IF_ERROR(cursor.NeedItems(array.count, item_bytes, what));
  ByteCursor begin = cursor;
  if (array.type == kGgufString) {
    TERSOR_RETURN_IF_ERROR(PassOverStrings(cursor, array.count, what));
  } else {
    TERSOR_RETURN_IF_ERROR(cursor.ReadBytes(array.count * item_bytes, what).status());
  }
  TERSOR_ASSIGN_OR_RETURN(array.bytes, begin.ReadBytes(cursor.position() - begin.position(), what));
  return GgufValue(array);
}

}  // namespace

absl::Status ReadGgufMetadata(ByteCursor& cursor, uint64_t count, GgufMetadata& metadata) {
  TERSOR_RETURN_IF_ERROR(cursor.NeedItems(count, kPairBytes, "the metadata"));
  if (count > kMaxPairs) {
    return absl::InvalidArgumentError(absl::StrCat("the metadata has ", count, " keys; at most ", kMaxPairs));
  }
  for (uint64_t i = 0; i < count; ++i) {
    TERSOR_ASSIGN_OR_RETURN(std::string key, cursor.ReadString(absl::StrCat("metadata key ", i), kMaxKeyBytes));
    const std::string what = absl::StrCat("metadata key \"", absl::CHexEscape(key.substr(0, 200)), "\"");
    TERSOR_ASSIGN_OR_RETURN(const uint32_t type, cursor.Read<uint32_t>(what));
    absl::StatusOr<GgufValue> value = type == kGgufArray ? ReadArray(cursor, what) : ReadScalar(cursor, type, what);
    if (!value.ok()) return value.status();
    if (!metadata.Insert(std::move(key), *std::move(value))) {
      return absl::InvalidArgumentError(absl::StrCat(what, " stands twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace tersor
