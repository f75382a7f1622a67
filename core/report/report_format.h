// A report in the forms that people and programs read.
#ifndef TERSOR_CORE_REPORT_REPORT_FORMAT_H_
#define TERSOR_CORE_REPORT_REPORT_FORMAT_H_

#include <string>

#include "google/protobuf/message.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Any message as JSON with the proto's field names, in their order: 64-bit integers are numbers, enums their names
// without the prefix ("PASS"), bytes base64, timestamps RFC 3339, numbers that are not finite null. Empty lists and
// plain scalars are always there; unset messages and optional fields are left out. `indent` -1: one line.
std::string MessageToJson(const google::protobuf::Message& message, int indent = 2);

// The verdict in plain words, tables of size, ratio, perplexity, divergence, speed, gates, then load commands.
// `width`: columns of the terminal. No colour codes.
std::string ReportToTable(const v1::Report& report, int width = 100);
std::string ReportToMarkdown(const v1::Report& report);
// One page, no network, reads well on paper.
std::string ReportToHtml(const v1::Report& report);
// What an inconclusive gate is to a CI server.
enum class InconclusiveCase { kFailure, kSkipped };

// One test case a gate, of a sweep one a point; a report without either has one case, "compressed".
std::string ReportToJunit(const v1::Report& report, InconclusiveCase inconclusive = InconclusiveCase::kFailure);
// A job that ended without a report: one case with an error.
std::string JobFailureToJunit(const std::string& job_id, const std::string& reason);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_REPORT_FORMAT_H_
