#include "server/base/error_details.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "google/rpc/error_details.pb.h"
#include "server/base/valid_text.h"

namespace tersor {
namespace {

constexpr size_t kMaxField = 256;
constexpr size_t kMaxDescription = 1024;

std::string TypeUrl(const google::protobuf::Descriptor* descriptor) {
  return absl::StrCat("type.googleapis.com/", descriptor->full_name());
}

void Attach(absl::Status& status, const google::protobuf::Message& detail) {
  status.SetPayload(TypeUrl(detail.GetDescriptor()), absl::Cord(detail.SerializeAsString()));
}

}  // namespace

absl::Status WithReason(absl::Status status, absl::string_view reason,
                        const std::vector<std::pair<std::string, std::string>>& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  Attach(status, info);
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  const auto payload = status.GetPayload(TypeUrl(google::rpc::ErrorInfo::descriptor()));
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return "";
  return info.reason();
}

absl::Status BadRequestError(const std::vector<FieldViolation>& violations, absl::string_view reason) {
  google::rpc::BadRequest request;
  std::string message;
  for (const FieldViolation& violation : violations) {
    auto* entry = request.add_field_violations();
    // Names and values come from files and requests, and may hold any bytes.
    entry->set_field(ToValidText(violation.field, kMaxField));
    entry->set_description(ToValidText(violation.description, kMaxDescription));
    absl::StrAppend(&message, message.empty() ? "" : "\n", violation.field, ": ", violation.description);
  }
  absl::Status status = absl::InvalidArgumentError(message);
  Attach(status, request);
  return WithReason(std::move(status), reason);
}

absl::Status FieldError(absl::string_view field, absl::string_view description) {
  return BadRequestError({{std::string(field), std::string(description)}}, "INVALID_REQUEST");
}

}  // namespace tersor
