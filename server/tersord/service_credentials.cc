#include "server/tersord/service_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

namespace tersor {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;
using grpc::experimental::TlsServerCredentialsOptions;

constexpr unsigned kLookEverySeconds = 1;

TlsServerCredentialsOptions TlsOptions(const TlsFiles& files) {
  TlsServerCredentialsOptions options(std::make_shared<FileWatcherCertificateProvider>(
      files.key.string(), files.certificate.string(), files.client_ca.string(), kLookEverySeconds));
  options.watch_identity_key_cert_pairs();
  if (files.client_ca.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return options;
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> ServiceCredentials(const TlsFiles& files,
                                                            std::shared_ptr<grpc::AuthMetadataProcessor> processor) {
  if (!files.enabled() && processor == nullptr) return grpc::InsecureServerCredentials();
  // gRPC ends the process where a processor is set on insecure credentials.
  std::shared_ptr<grpc::ServerCredentials> credentials =
      files.enabled() ? grpc::experimental::TlsServerCredentials(TlsOptions(files))
                      : grpc::experimental::LocalServerCredentials(LOCAL_TCP);
  if (processor != nullptr) credentials->SetAuthMetadataProcessor(std::move(processor));
  return credentials;
}

}  // namespace tersor
