// A certificate authority for tests.
#ifndef TERSOR_TESTS_SERVER_TESTING_TEST_CERTIFICATES_H_
#define TERSOR_TESTS_SERVER_TESTING_TEST_CERTIFICATES_H_

#include <memory>
#include <string>

#include "openssl/types.h"

namespace tersor::testing {

struct CertificatePair {
  std::string certificate_pem;
  std::string key_pem;
};

// Not thread-safe.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::string& certificate_pem() const { return certificate_pem_; }
  // For localhost and 127.0.0.1, valid from an hour ago until `seconds` from now (or the past, where negative).
  CertificatePair Issue(const std::string& name, long seconds = 3600) const;

 private:
  EVP_PKEY* key_;
  X509* certificate_;
  std::string certificate_pem_;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_TESTING_TEST_CERTIFICATES_H_
