// A report in the forms that people and programs read.
#ifndef TERSOR_CORE_REPORT_REPORT_FORMAT_H_
#define TERSOR_CORE_REPORT_REPORT_FORMAT_H_

#include <string>

#include "google/protobuf/message.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Any message as JSON with the proto's field names; 64-bit integers are numbers, enums their names without the prefix
// ("PASS"), unset messages and empty lists are left out except where `keep_empty`.
std::string MessageToJson(const google::protobuf::Message& message, int indent = 2);

// The verdict in plain words, tables of size, ratio, perplexity, divergence, speed, gates, then load commands.
// `width`: columns of the terminal. No colour codes.
std::string ReportToTable(const v1::Report& report, int width = 100);
std::string ReportToMarkdown(const v1::Report& report);
// One page, no network, reads well on paper.
std::string ReportToHtml(const v1::Report& report);
// One test case a gate.
std::string ReportToJunit(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_REPORT_FORMAT_H_
