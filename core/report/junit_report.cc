#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/compare/figure_faults.h"
#include "core/report/escape.h"
#include "core/report/report_format.h"
#include "core/report/report_sections.h"

namespace tersor {
namespace {

struct Suite {
  std::string cases;
  int tests = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;
  double seconds = 0;
};

// `body`: elements that say how the case ended and what was seen; may be empty where it passed. `seconds` below 0: not
// known.
void AddCase(absl::string_view name, absl::string_view body, Suite& suite, absl::string_view kind = "gates",
             double seconds = -1) {
  absl::StrAppend(&suite.cases, "    <testcase classname=\"tersor.", kind, "\" name=\"", EscapeXml(name), "\"");
  if (seconds >= 0) absl::StrAppendFormat(&suite.cases, " time=\"%.3f\"", seconds);
  absl::StrAppend(&suite.cases, body.empty() ? "/>\n" : absl::StrCat(">", body, "</testcase>\n"));
  ++suite.tests;
}

std::string Ending(absl::string_view element, absl::string_view type, absl::string_view message) {
  return absl::StrCat("<", element, type.empty() ? "" : absl::StrCat(" type=\"", type, "\""), " message=\"",
                      EscapeXml(message), "\"/>");
}

// How the gate's figure grew, where its evaluation went on; "" where it did not.
std::string Looks(const v1::GateResult& gate) {
  if (gate.looks_size() < 2) return "";
  std::string text;
  for (int i = 0; i < gate.looks_size(); ++i) {
    const v1::GateResult::Look& look = gate.looks(i);
    absl::StrAppendFormat(&text, "look %d of %d: %d %s, %.6g, interval %.4g to %.4g, %s\n", i + 1, gate.looks_size(),
                          look.count(), gate.unit(), look.value(), look.interval().low(), look.interval().high(),
                          OutcomeWord(look.outcome()));
  }
  return absl::StrCat("<system-out>", EscapeXml(text), "</system-out>");
}

void AddGate(const v1::GateResult& gate, InconclusiveCase inconclusive, Suite& suite) {
  const std::string message = absl::StrCat(gate.expression(), ": ", gate.reason());
  if (gate.outcome() == v1::GATE_OUTCOME_PASS) {
    AddCase(gate.expression(), Looks(gate), suite);
  } else if (gate.outcome() == v1::GATE_OUTCOME_FAIL) {
    AddCase(gate.expression(), Ending("failure", "gate", message) + Looks(gate), suite);
    ++suite.failures;
  } else if (inconclusive == InconclusiveCase::kSkipped) {
    AddCase(gate.expression(), Ending("skipped", "", message) + Looks(gate), suite);
    ++suite.skipped;
  } else {
    AddCase(gate.expression(), Ending("failure", "inconclusive", message) + Looks(gate), suite);
    ++suite.failures;
  }
}

void AddPoint(const v1::SweepResult::Point& point, InconclusiveCase inconclusive, Suite& suite) {
  const bool undecided = point.verdict() == v1::VERDICT_INCONCLUSIVE, failed = point.verdict() == v1::VERDICT_FAIL;
  std::string body;
  if (!point.error().empty()) {
    body = Ending("error", "job", point.error());
    ++suite.errors;
  } else if (undecided && inconclusive == InconclusiveCase::kSkipped) {
    body = Ending("skipped", "", point.summary());
    ++suite.skipped;
  } else if (undecided || failed) {
    body = Ending("failure", failed ? "gate" : "inconclusive", point.summary());
    ++suite.failures;
  }
  AddCase(point.name(), body, suite, "sweep", point.seconds());
  suite.seconds += point.seconds();
}

std::string Document(absl::string_view job_id, absl::string_view output, const Suite& suite) {
  const std::string counts = absl::StrFormat("tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\" time=\"%.3f\"",
                                             suite.tests, suite.failures, suite.errors, suite.skipped, suite.seconds);
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tersor\" ", counts,
                      ">\n  <testsuite name=\"", EscapeXml(job_id.empty() ? "tersor" : absl::StrCat("tersor ", job_id)),
                      "\" ", counts, ">\n", suite.cases, "    <system-out>", EscapeXml(output),
                      "</system-out>\n  </testsuite>\n</testsuites>\n");
}

}  // namespace

std::string ReportToJunit(const v1::Report& report, InconclusiveCase inconclusive) {
  Suite suite;
  for (const v1::StageReport& stage : report.stages()) suite.seconds += stage.reused() ? 0 : stage.seconds();
  for (const v1::GateResult& gate : report.gates()) AddGate(gate, inconclusive, suite);
  for (const v1::SweepResult::Point& point : report.sweep().points()) AddPoint(point, inconclusive, suite);
  const std::vector<std::string> faults = FiguresWithoutNumber(report);
  if (!faults.empty()) {
    AddCase("figures", Ending("failure", "figure", absl::StrCat("no finite number: ", absl::StrJoin(faults, ", "))),
            suite);
    ++suite.failures;
  }
  if (suite.tests == 0) AddCase("compressed", "", suite);
  return Document(report.job_id(), ReportHeadline(report), suite);
}

std::string JobFailureToJunit(const std::string& job_id, const std::string& reason) {
  Suite suite;
  AddCase("job", Ending("error", "job", reason), suite);
  ++suite.errors;
  return Document(job_id, reason, suite);
}

}  // namespace tersor
