#include "core/base/sha256.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "core/base/atomic_file.h"
#include "core/base/input_file.h"

namespace tersor {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) { EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr); }

Sha256::~Sha256() = default;

void Sha256::Update(absl::string_view bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

void Sha256::UpdateField(absl::string_view bytes) {
  const uint64_t size = bytes.size();
  Update(absl::string_view(reinterpret_cast<const char*>(&size), sizeof(size)));
  Update(bytes);
}

std::string Sha256::HexDigest() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest, &size);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
}

std::string Sha256Hex(absl::string_view bytes) {
  Sha256 digest;
  digest.Update(bytes);
  return digest.HexDigest();
}

absl::StatusOr<std::string> Sha256HexOfFile(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(const int fd, OpenInput(path));
  Sha256 digest;
  std::vector<char> buffer(1 << 20);
  while (true) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    const int error = errno;
    if (count <= 0) {
      close(fd);
      if (count < 0) return ErrnoStatus(error, "reading file", path);
      return digest.HexDigest();
    }
    digest.Update(absl::string_view(buffer.data(), static_cast<size_t>(count)));
  }
}

}  // namespace tersor
