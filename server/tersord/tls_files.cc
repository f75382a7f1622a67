#include "server/tersord/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

absl::Status Fault(absl::string_view flag, const std::filesystem::path& path, absl::string_view what) {
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrCat(flag, " ", path.string(), ": ", what));
}

absl::StatusOr<std::string> Read(absl::string_view flag, const std::filesystem::path& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return absl::InvalidArgumentError(absl::StrCat(flag, " ", text.status().message()));
  return text;
}

std::unique_ptr<BIO, Free> MemoryOf(const std::string& text) {
  return std::unique_ptr<BIO, Free>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The first certificate of the file, which is the server's own; the chain follows it.
absl::StatusOr<Certificate> ParseCertificate(absl::string_view flag, const std::filesystem::path& path,
                                             const std::string& text) {
  Certificate certificate(PEM_read_bio_X509(MemoryOf(text).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return Fault(flag, path, "no certificate in PEM form in it");
  if (X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0) {
    return Fault(flag, path, "the certificate is not valid yet: is the clock right?");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    return Fault(flag, path, "the certificate has expired: renew it");
  }
  return certificate;
}

// A key with a passphrase would ask for it on the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

absl::StatusOr<Key> ParseKey(absl::string_view flag, const std::filesystem::path& path, const std::string& text) {
  Key key(PEM_read_bio_PrivateKey(MemoryOf(text).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return Fault(flag, path, "no private key without a passphrase in PEM form in it");
  return key;
}

}  // namespace

absl::StatusOr<TlsTexts> ReadTlsFiles(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key belong together: name both");
  }
  TlsTexts texts;
  if (!files.enabled()) {
    if (files.client_ca.empty()) return texts;
    return absl::InvalidArgumentError("--client-ca needs TLS: name --tls-cert and --tls-key");
  }
  TERSOR_ASSIGN_OR_RETURN(texts.certificate, Read("--tls-cert", files.certificate));
  TERSOR_ASSIGN_OR_RETURN(texts.key, Read("--tls-key", files.key));
  TERSOR_ASSIGN_OR_RETURN(const Certificate certificate,
                          ParseCertificate("--tls-cert", files.certificate, texts.certificate));
  TERSOR_ASSIGN_OR_RETURN(const Key key, ParseKey("--tls-key", files.key, texts.key));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Fault("--tls-key", files.key,
                 absl::StrCat("does not belong to the certificate in ", files.certificate.string()));
  }
  if (files.client_ca.empty()) return texts;
  TERSOR_ASSIGN_OR_RETURN(texts.client_ca, Read("--client-ca", files.client_ca));
  TERSOR_RETURN_IF_ERROR(ParseCertificate("--client-ca", files.client_ca, texts.client_ca).status());
  return texts;
}

}  // namespace tersor
