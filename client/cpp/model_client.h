// ModelService as plain functions; uploads are in model_upload.h.
#ifndef TERSOR_CLIENT_CPP_MODEL_CLIENT_H_
#define TERSOR_CLIENT_CPP_MODEL_CLIENT_H_

#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cpp/connection.h"
#include "core/base/status.h"
#include "tersor/v1/model_service.grpc.pb.h"

namespace tersor::client {

// Thread-safe.
class ModelClient {
 public:
  explicit ModelClient(Connection connection);

  // `path` is on the server's machine; an empty name is the path's last part.
  absl::StatusOr<v1::Model> Import(absl::string_view path, absl::string_view name) const;
  absl::StatusOr<v1::Model> Get(absl::string_view name) const;
  absl::StatusOr<std::vector<v1::Model>> List() const;
  absl::Status Delete(absl::string_view name) const;

  const Connection& connection() const { return connection_; }
  v1::ModelService::Stub& stub() const { return *stub_; }

 private:
  Connection connection_;
  std::unique_ptr<v1::ModelService::Stub> stub_;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_MODEL_CLIENT_H_
