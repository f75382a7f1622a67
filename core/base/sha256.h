// SHA-256 over bytes and files.
#ifndef TERSOR_CORE_BASE_SHA256_H_
#define TERSOR_CORE_BASE_SHA256_H_

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Incremental digest. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(absl::string_view bytes);
  // Adds the length first, so that ("ab", "c") and ("a", "bc") differ.
  void UpdateField(absl::string_view bytes);
  // Lower-case hexadecimal, 64 characters. Call once.
  std::string HexDigest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(absl::string_view bytes);
absl::StatusOr<std::string> Sha256HexOfFile(const std::filesystem::path& path);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_SHA256_H_
