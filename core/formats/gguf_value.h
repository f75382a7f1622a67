// Values of a GGUF file's metadata.
#ifndef TERSOR_CORE_FORMATS_GGUF_VALUE_H_
#define TERSOR_CORE_FORMATS_GGUF_VALUE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// All integer types become int64 (larger unsigned ones double), both float types double; arrays of bools become
// integers.
using GgufValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                               std::vector<std::string>>;

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
  absl::StatusOr<std::vector<int64_t>> Integers(absl::string_view key) const;
  absl::StatusOr<std::vector<double>> Floats(absl::string_view key) const;
  absl::StatusOr<std::vector<std::string>> Strings(absl::string_view key) const;

  // The same with a value for a missing key; a wrong type stays an error.
  absl::StatusOr<int64_t> IntegerOr(absl::string_view key, int64_t fallback) const;
  absl::StatusOr<double> FloatOr(absl::string_view key, double fallback) const;
  absl::StatusOr<std::string> StringOr(absl::string_view key, absl::string_view fallback) const;
  absl::StatusOr<bool> BoolOr(absl::string_view key, bool fallback) const;

  // False where the key is there already.
  bool Insert(std::string key, GgufValue value) { return values_.emplace(std::move(key), std::move(value)).second; }

 private:
  template <typename T>
  absl::StatusOr<T> As(absl::string_view key, absl::string_view wanted) const;

  std::map<std::string, GgufValue, std::less<>> values_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_GGUF_VALUE_H_
