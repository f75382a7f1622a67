// The way back from MessageToJson.
#ifndef TERSOR_CORE_REPORT_MESSAGE_FROM_JSON_H_
#define TERSOR_CORE_REPORT_MESSAGE_FROM_JSON_H_

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "google/protobuf/message.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Reads what MessageToJson writes: null is a number that is not finite (of an Interval: an end that is not bounded).
// Keys that this program does not know are left out: later versions add some. INVALID_ARGUMENT names the key whose
// value has the wrong type.
absl::Status MessageFromJson(absl::string_view json, google::protobuf::Message& message);

// INVALID_ARGUMENT too where the JSON is no report (it lacks "tersor_version" and "verdict").
absl::StatusOr<v1::Report> ReportFromJson(absl::string_view json);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_MESSAGE_FROM_JSON_H_
