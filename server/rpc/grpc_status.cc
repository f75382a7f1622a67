#include "server/rpc/grpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/base/error_details.h"
#include "server/base/valid_text.h"

namespace tersor {
namespace {

constexpr size_t kMaxMessage = 1024;
// Grows by a third in base64.
constexpr size_t kMaxDetails = 4500;

// Drops the last violations until the message fits.
void FitBadRequest(google::rpc::BadRequest& request, size_t limit) {
  const int all = request.field_violations_size();
  while (request.field_violations_size() > 1 && request.ByteSizeLong() > limit) {
    request.mutable_field_violations()->RemoveLast();
  }
  const int dropped = all - request.field_violations_size();
  if (dropped > 0) request.add_field_violations()->set_description(absl::StrCat("and ", dropped, " more"));
}

void AddDetail(absl::string_view url, const absl::Cord& payload, google::rpc::Status& details) {
  auto* any = details.add_details();
  any->set_type_url(std::string(url));
  any->set_value(std::string(payload));
  google::rpc::BadRequest request;
  if (any->Is<google::rpc::BadRequest>() && any->value().size() > kMaxDetails && any->UnpackTo(&request)) {
    FitBadRequest(request, kMaxDetails);
    any->set_value(request.SerializeAsString());
  }
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const absl::Status named =
      ReasonOf(status).empty() ? WithReason(status, absl::StatusCodeToString(status.code())) : status;
  google::rpc::Status details;
  details.set_code(static_cast<int>(named.code()));
  details.set_message(ToValidText(named.message(), kMaxMessage / 4));
  named.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { AddDetail(url, payload, details); });
  return grpc::Status(static_cast<grpc::StatusCode>(named.code()), ToValidText(named.message(), kMaxMessage),
                      details.SerializeAsString());
}

}  // namespace tersor
