// Reads little-endian values from bytes that may lie about their own lengths.
#ifndef TERSOR_CORE_FORMATS_BYTE_CURSOR_H_
#define TERSOR_CORE_FORMATS_BYTE_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Every read is checked against the end; `what` names in messages what was being read. Not thread-safe.
class ByteCursor {
 public:
  explicit ByteCursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  // T is a number type without padding.
  template <typename T>
  absl::StatusOr<T> Read(absl::string_view what) {
    TERSOR_RETURN_IF_ERROR(Need(sizeof(T), what));
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  // The next `count` bytes in place.
  absl::StatusOr<std::span<const std::byte>> ReadBytes(uint64_t count, absl::string_view what) {
    TERSOR_RETURN_IF_ERROR(Need(count, what));
    const std::span<const std::byte> bytes = bytes_.subspan(position_, count);
    position_ += count;
    return bytes;
  }

  // A string of 64-bit length, at most `limit` bytes long; it may hold any bytes.
  absl::StatusOr<std::string> ReadString(absl::string_view what, uint64_t limit = ~uint64_t{0}) {
    TERSOR_ASSIGN_OR_RETURN(const uint64_t length, Read<uint64_t>(what));
    TERSOR_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, ReadBytes(length, what));
    if (length > limit) {
      return absl::InvalidArgumentError(absl::StrCat(what, " is ", length, " bytes long; at most ", limit));
    }
    return std::string(reinterpret_cast<const char*>(bytes.data()), length);
  }

  // That `count` items of at least `item_bytes` each can still come, so that room may be made for them.
  absl::Status NeedItems(uint64_t count, size_t item_bytes, absl::string_view what) const {
    if (count <= remaining() / item_bytes) return absl::OkStatus();
    return Short(absl::StrCat(count, " items"), what);
  }

 private:
  absl::Status Need(uint64_t bytes, absl::string_view what) const {
    if (bytes <= remaining()) return absl::OkStatus();
    return Short(absl::StrCat(bytes, " bytes"), what);
  }
  absl::Status Short(absl::string_view wanted, absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " wants ", wanted, " at byte ", position_, " of ", bytes_.size(), ": past the end"));
  }

  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_BYTE_CURSOR_H_
