#include "client/cli/plan_text.h"

#include "absl/strings/str_cat.h"
#include "client/cli/progress_text.h"
#include "core/report/escape.h"
#include "core/report/number_text.h"
#include "core/report/text_table.h"

namespace tersor::client {
namespace {

std::string ModelLine(const v1::ModelInfo& model) {
  return absl::StrCat("model ", model.name(), " (", model.architecture(), ", ", CountText(model.parameters()),
                      " parameters, ", BytesText(model.source_bytes()), " in ", model.format(), ")");
}

ReportSection Stages(const v1::Plan& plan) {
  ReportSection section{.columns = {{"stage"}, {"time", true}, {"memory", true}, {"scratch", true}, {"what"}}};
  for (const v1::PlannedStage& stage : plan.stages()) {
    section.rows.push_back({stage.name(), SecondsText(stage.seconds()), BytesText(stage.peak_memory_bytes()),
                            stage.scratch_bytes() > 0 ? BytesText(stage.scratch_bytes()) : "", stage.detail()});
  }
  return section;
}

ReportSection Artifacts(const v1::Plan& plan) {
  ReportSection section{.columns = {{"file"}, {"size", true}, {"what"}}};
  for (const v1::PlannedArtifact& artifact : plan.artifacts()) {
    section.rows.push_back({artifact.name(), BytesText(artifact.bytes()), artifact.detail()});
  }
  return section;
}

// What the gates can tell apart.
std::string Powers(const v1::Plan& plan, int width) {
  std::string text;
  for (const v1::GatePower& power : plan.powers()) {
    absl::StrAppend(&text, "  ", WrapText(EscapeTerminal(absl::StrCat(power.gate(), ": ", power.text())), width - 2, 4),
                    "\n");
  }
  return text.empty() ? text : absl::StrCat("Gates\n", text);
}

}  // namespace

std::string PlanText(const v1::Plan& plan, int width) {
  std::string text = absl::StrCat("Plan: ", EscapeTerminal(ModelLine(plan.model())), "\n");
  if (plan.stages_size() > 0) absl::StrAppend(&text, TextTable(Stages(plan), width));
  if (plan.artifacts_size() > 0) absl::StrAppend(&text, TextTable(Artifacts(plan), width));
  absl::StrAppend(&text, Powers(plan, width));
  absl::StrAppend(&text, "At most ", SecondsText(plan.seconds()), ", ", BytesText(plan.peak_memory_bytes()),
                  " of memory, ", BytesText(plan.disk_bytes()), " of disk.\n");
  for (const v1::Warning& warning : plan.warnings()) {
    absl::StrAppend(&text, EscapeTerminal(WarningLine(warning)), "\n");
  }
  return text;
}

}  // namespace tersor::client
