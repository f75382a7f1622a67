// The certificate and key that the server shows, and the authority that clients' certificates must come from.
#ifndef TERSOR_SERVER_TERSORD_TLS_FILES_H_
#define TERSOR_SERVER_TERSORD_TLS_FILES_H_

#include <filesystem>
#include <string>

#include "core/base/status.h"

namespace tersor {

// PEM files. All empty: no TLS. `client_ca` empty: clients need no certificate.
struct TlsFiles {
  std::filesystem::path certificate = {};
  std::filesystem::path key = {};
  std::filesystem::path client_ca = {};

  bool enabled() const { return !certificate.empty(); }
};

// What stands in the files.
struct TlsTexts {
  std::string certificate;
  std::string key;
  std::string client_ca;

  bool operator==(const TlsTexts&) const = default;
};

// All empty without TLS. INVALID_ARGUMENT where a file is missing, cannot be read, is not PEM, is out of date, where
// certificate and key do not belong together, or where only some of the files are named.
absl::StatusOr<TlsTexts> ReadTlsFiles(const TlsFiles& files);

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_TLS_FILES_H_
