#include "client/cli/progress_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "core/report/escape.h"
#include "core/report/number_text.h"

namespace tersor::client {
namespace {

double Fraction(const v1::Progress& progress) {
  double fraction = progress.fraction();
  return std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
}

// "13/30 blocks", "13 blocks" where the total is unknown, "" where there is nothing to count.
std::string UnitsText(const v1::Progress& progress) {
  if (progress.total() > 0) return absl::StrCat(progress.done(), "/", progress.total(), " ", progress.unit());
  return progress.done() > 0 ? absl::StrCat(progress.done(), " ", progress.unit()) : "";
}

std::string SpeedText(const v1::Progress& progress) {
  if (!(progress.tokens_per_second() > 0)) return "";
  return absl::StrFormat("%.0f tok/s", progress.tokens_per_second());
}

std::string EtaText(const v1::Progress& progress) {
  return progress.eta_seconds() < 0 ? "" : absl::StrCat("ETA ", ClockText(progress.eta_seconds()));
}

std::string Bar(double fraction, int columns) {
  int filled = static_cast<int>(fraction * columns);
  std::string bar = std::string(filled, '=') + (filled < columns ? ">" : "");
  return absl::StrCat("[", bar, std::string(columns - static_cast<int>(bar.size()), ' '), "]");
}

}  // namespace

std::string ClockText(double seconds) {
  constexpr double kLongest = 1e7;
  if (!(seconds >= 0) || seconds > kLongest) return "--:--";
  int64_t whole = std::llround(seconds);
  if (whole < 3600) return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
  return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string ProgressBar(const v1::Progress& progress, int width) {
  constexpr int kShortestBar = 10, kLongestBar = 30;
  double fraction = Fraction(progress);
  std::string stage = EscapeTerminal(progress.stage());
  std::string percent = absl::StrFormat("%3.0f%%", std::floor(100 * fraction));
  // Most wanted first.
  std::vector<std::string> parts;
  for (std::string part : {EtaText(progress), UnitsText(progress), SpeedText(progress), progress.detail()}) {
    if (!part.empty()) parts.push_back(EscapeTerminal(part));
  }
  int room = width - static_cast<int>(CharacterCount(stage)) - 1 - (kShortestBar + 2) - 1 - 4;
  std::string tail;
  for (const std::string& part : parts) {
    int needed = static_cast<int>(CharacterCount(part)) + 2;
    if (needed > room) break;
    room -= needed;
    absl::StrAppend(&tail, "  ", part);
  }
  int columns = std::min(kLongestBar, kShortestBar + std::max(room, 0));
  std::string line = absl::StrCat(stage, " ", Bar(fraction, columns), " ", percent, tail);
  // A terminal narrower than the shortest bar still gets one line.
  return CharacterCount(line) <= static_cast<size_t>(width) ? line : line.substr(0, width);
}

std::string ProgressLine(const v1::Progress& progress) {
  std::string line = absl::StrFormat("[%3.0f%%] %s", std::floor(100 * Fraction(progress)), progress.stage());
  const char* separator = ": ";
  for (const std::string& part : {UnitsText(progress), SpeedText(progress), EtaText(progress), progress.detail()}) {
    if (part.empty()) continue;
    absl::StrAppend(&line, separator, part);
    separator = ", ";
  }
  return line;
}

std::string StageLine(const v1::StageReport& stage) {
  if (stage.reused()) return absl::StrCat(stage.name(), ": taken over from an earlier run");
  std::string line = absl::StrCat(stage.name(), ": done in ", SecondsText(stage.seconds()));
  if (stage.peak_rss_bytes() > 0) absl::StrAppend(&line, ", peak memory ", BytesText(stage.peak_rss_bytes()));
  return line;
}

std::string StateWord(v1::JobState state) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::JobState_Name(state), "JOB_STATE_"));
}

std::string StateLine(const v1::StateChanged& state) {
  std::string line = absl::StrCat("job ", StateWord(state.state()));
  if (state.attempt() > 1) absl::StrAppend(&line, " (attempt ", state.attempt(), ")");
  if (!state.reason().empty()) absl::StrAppend(&line, ": ", state.reason());
  return line;
}

std::string WarningLine(const v1::Warning& warning) {
  return absl::StrCat("warning ", warning.code(), ": ", warning.message(),
                      warning.where().empty() ? "" : absl::StrCat(" (", warning.where(), ")"));
}

}  // namespace tersor::client
