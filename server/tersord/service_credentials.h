// How clients' connections are protected.
#ifndef TERSOR_SERVER_TERSORD_SERVICE_CREDENTIALS_H_
#define TERSOR_SERVER_TERSORD_SERVICE_CREDENTIALS_H_

#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "server/tersord/tls_files.h"

namespace tersor {

// Without TLS: plain text. With it: `files`, those of a TlsStage, are looked at every second, so that renewed ones
// serve the connections that are made after that; open ones go on. `processor` (may be null) is asked before every
// call; without TLS only programs of this machine are then heard, who connect to 127.0.0.1 or ::1.
std::shared_ptr<grpc::ServerCredentials> ServiceCredentials(const TlsFiles& files,
                                                            std::shared_ptr<grpc::AuthMetadataProcessor> processor);

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_SERVICE_CREDENTIALS_H_
