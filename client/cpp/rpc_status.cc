#include "client/cpp/rpc_status.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace tersor::client {
namespace {

template <typename T>
std::string TypeUrl() {
  return absl::StrCat("type.googleapis.com/", T::descriptor()->full_name());
}

// The detail of type T; a default one where it is missing or not readable.
template <typename T>
T Detail(const absl::Status& status) {
  T detail;
  absl::optional<absl::Cord> payload = status.GetPayload(TypeUrl<T>());
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return T();
  return detail;
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  // gRPC's codes and absl's are the same numbers.
  absl::Status converted(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      converted.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return converted;
}

std::vector<FieldFault> FieldFaults(const absl::Status& status) {
  std::vector<FieldFault> faults;
  google::rpc::BadRequest request = Detail<google::rpc::BadRequest>(status);
  for (const auto& violation : request.field_violations()) {
    faults.push_back({violation.field(), violation.description()});
  }
  return faults;
}

std::string ErrorReason(const absl::Status& status) { return Detail<google::rpc::ErrorInfo>(status).reason(); }

bool IsTransient(const absl::Status& status) {
  if (absl::IsUnavailable(status) || absl::IsAborted(status)) return true;
  // What a stream answers whose connection was cut in the middle of a message; the server's own errors have a reason.
  return absl::IsInternal(status) && ErrorReason(status).empty() && absl::StrContains(status.message(), "RST_STREAM");
}

}  // namespace tersor::client
