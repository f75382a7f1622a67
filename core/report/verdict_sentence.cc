#include "core/report/verdict_sentence.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/compare/figure_faults.h"
#include "core/report/number_text.h"
#include "core/report/report_sections.h"

namespace tersor {
namespace {

std::string SizePart(const v1::SizeResult& size) {
  if (size.ratio() >= 1) return absl::StrCat(FigureText(size.ratio(), 2), " times smaller");
  return absl::StrCat(FigureText(1 / size.ratio(), 2), " times larger");
}

std::string PerplexityPart(const PerplexityRow& row) {
  if (row.compressed == nullptr) return absl::StrCat("perplexity ", FigureText(row.dense->value()));
  if (row.dense == nullptr) return absl::StrCat("perplexity ", FigureText(row.compressed->value()));
  return absl::StrCat("perplexity ", FigureText(row.dense->value()), " -> ", FigureText(row.compressed->value()), " (x",
                      FigureText(row.ratio(), 3), ")");
}

std::string GatesOf(const v1::Report& report, v1::GateOutcome outcome, absl::string_view word) {
  std::vector<std::string> named;
  for (const v1::GateResult& gate : report.gates()) {
    if (gate.outcome() == outcome) named.push_back(absl::StrCat(gate.expression(), " (", gate.reason(), ")"));
  }
  if (named.empty()) return "";
  return absl::StrCat(named.size(), " of ", report.gates_size(), report.gates_size() == 1 ? " gate " : " gates ", word,
                      ": ", absl::StrJoin(named, "; "));
}

std::string GatesPart(const v1::Report& report) {
  if (report.gates().empty()) return "no gates";
  std::vector<std::string> parts;
  for (std::string part : {GatesOf(report, v1::GATE_OUTCOME_FAIL, "failed"),
                           GatesOf(report, v1::GATE_OUTCOME_INCONCLUSIVE, "undecided")}) {
    if (!part.empty()) parts.push_back(std::move(part));
  }
  if (!parts.empty()) return absl::StrJoin(parts, "; ");
  return report.gates_size() == 1 ? "the gate passed" : absl::StrCat("all ", report.gates_size(), " gates passed");
}

// "perplexity of T (compressed) is not a number", or nothing.
std::string FaultPart(const v1::Report& report) {
  constexpr size_t kNamed = 3;
  std::vector<std::string> faults = FiguresWithoutNumber(report);
  if (faults.empty()) return "";
  const size_t more = faults.size() - std::min(faults.size(), kNamed);
  faults.resize(faults.size() - more);
  return absl::StrCat(absl::StrJoin(faults, ", "),
                      more > 0            ? absl::StrCat(" and ", more, " more figures are")
                      : faults.size() > 1 ? " are"
                                          : " is",
                      " no finite number");
}

// " Damaged: knowledge (lost 5.2 points ...).", or nothing.
std::string DamagePart(const v1::Report& report) {
  std::vector<std::string> damaged;
  for (const v1::AbilityResult& ability : report.abilities()) {
    if (ability.outcome() != v1::ABILITY_OUTCOME_DAMAGED) continue;
    damaged.push_back(absl::StrCat(ability.ability(), " (lost ", FigureText(100 * ability.drop(), 3), " points)"));
  }
  return damaged.empty() ? "" : absl::StrCat(" Damaged: ", absl::StrJoin(damaged, ", "), ".");
}

}  // namespace

std::string VerdictSentence(const v1::Report& report) {
  std::vector<std::string> parts;
  if (report.has_size() && report.size().ratio() > 0) parts.push_back(SizePart(report.size()));
  if (const std::vector<PerplexityRow> rows = PerplexityRows(report); !rows.empty()) {
    parts.push_back(PerplexityPart(rows[0]));
  }
  if (std::string faults = FaultPart(report); !faults.empty()) parts.push_back(std::move(faults));
  parts.push_back(GatesPart(report));
  std::string sentence = absl::StrCat(VerdictWord(report.verdict()), ": ", absl::StrJoin(parts, ", "), ".");
  absl::StrAppend(&sentence, DamagePart(report));
  if (!report.cached_from().empty()) {
    absl::StrAppend(&sentence, " Nothing changed since job ", report.cached_from(), ": its answer.");
  }
  return sentence;
}

}  // namespace tersor
