// Values of a GGUF file's metadata.
#ifndef TERSOR_CORE_FORMATS_GGUF_VALUE_H_
#define TERSOR_CORE_FORMATS_GGUF_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Numbers of the value types.
enum GgufType : uint32_t {
  kGgufUint8 = 0,
  kGgufInt8 = 1,
  kGgufUint16 = 2,
  kGgufInt16 = 3,
  kGgufUint32 = 4,
  kGgufInt32 = 5,
  kGgufFloat32 = 6,
  kGgufBool = 7,
  kGgufString = 8,
  kGgufArray = 9,
  kGgufUint64 = 10,
  kGgufInt64 = 11,
  kGgufFloat64 = 12,
};

// An array as the file holds it, already checked against the file's end: it costs nothing until it is asked for.
struct GgufArray {
  uint32_t type = kGgufUint8;
  uint64_t count = 0;
  std::span<const std::byte> bytes;
};

// The largest array that is ever turned into values: several times the largest vocabulary.
inline constexpr uint64_t kMaxGgufItems = uint64_t{1} << 22;

// All integer types become int64 (larger unsigned ones double), both float types double.
using GgufValue = std::variant<bool, int64_t, double, std::string, GgufArray>;

// Typed look-ups. The key stands in every message; the caller adds the file's name.
class GgufMetadata {
 public:
  bool Has(absl::string_view key) const { return values_.find(key) != values_.end(); }
  const std::map<std::string, GgufValue, std::less<>>& values() const { return values_; }

  // INVALID_ARGUMENT where the key has another type; NOT_FOUND where it is missing.
  absl::StatusOr<int64_t> Integer(absl::string_view key) const;
  // Integers count as floats.
  absl::StatusOr<double> Float(absl::string_view key) const;
  absl::StatusOr<std::string> String(absl::string_view key) const;
  absl::StatusOr<bool> Bool(absl::string_view key) const;
  // INVALID_ARGUMENT also for more than kMaxGgufItems. Bools count as integers; unsigned ones are cut to int64's range.
  absl::StatusOr<std::vector<int64_t>> Integers(absl::string_view key) const;
  absl::StatusOr<std::vector<double>> Floats(absl::string_view key) const;
  absl::StatusOr<std::vector<std::string>> Strings(absl::string_view key) const;

  // The same with a value for a missing key; a wrong type stays an error.
  absl::StatusOr<int64_t> IntegerOr(absl::string_view key, int64_t fallback) const;
  absl::StatusOr<double> FloatOr(absl::string_view key, double fallback) const;
  absl::StatusOr<std::string> StringOr(absl::string_view key, absl::string_view fallback) const;
  absl::StatusOr<bool> BoolOr(absl::string_view key, bool fallback) const;

  // Keeps the bytes that arrays view.
  void KeepAlive(std::shared_ptr<const void> owner) { owner_ = std::move(owner); }
  // False where the key is there already.
  bool Insert(std::string key, GgufValue value) { return values_.emplace(std::move(key), std::move(value)).second; }

 private:
  template <typename T>
  absl::StatusOr<T> As(absl::string_view key, absl::string_view wanted) const;

  absl::StatusOr<GgufArray> Array(absl::string_view key, absl::string_view wanted) const;

  std::map<std::string, GgufValue, std::less<>> values_;
  std::shared_ptr<const void> owner_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_GGUF_VALUE_H_
