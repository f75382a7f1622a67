#include "server/base/random_token.h"

#include <openssl/crypto.h>

#include <random>

#include "absl/strings/escaping.h"

namespace tersor {

std::string RandomHex(int bytes) {
  // libstdc++'s random_device reads the CPU's or the kernel's generator, never a seeded engine.
  std::random_device device;
  std::string raw(static_cast<size_t>(bytes), '\0');
  for (char& byte : raw) byte = static_cast<char>(device() & 0xff);
  return absl::BytesToHexString(raw);
}

bool ConstantTimeEqual(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tersor
