#include "server/executor/process_info.h"

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

// Fields after the name: state is the first, starttime (field 22 of proc(5)) the twentieth.
constexpr size_t kStateIndex = 0;
constexpr size_t kStartTimeIndex = 19;

std::filesystem::path ProcPath(int64_t pid, absl::string_view file) {
  return std::filesystem::path(absl::StrCat("/proc/", pid, "/", file));
}

}  // namespace

absl::StatusOr<ProcessStat> ParseProcessStat(absl::string_view text) {
  const size_t name_end = text.rfind(')');
  if (name_end == absl::string_view::npos) return absl::InvalidArgumentError("process stat: no name");
  const std::vector<absl::string_view> fields =
      absl::StrSplit(text.substr(name_end + 1), absl::ByAnyChar(" \n"), absl::SkipEmpty());
  ProcessStat stat;
  if (fields.size() <= kStartTimeIndex || fields[kStateIndex].size() != 1 ||
      !absl::SimpleAtoi(fields[kStartTimeIndex], &stat.start_ticks)) {
    return absl::InvalidArgumentError("process stat: state or start time is missing");
  }
  stat.state = fields[kStateIndex][0];
  return stat;
}

int64_t ParseUnsharedRss(absl::string_view text) {
  int64_t kilobytes = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "RssAnon:") && !absl::ConsumePrefix(&line, "RssShmem:")) continue;
    absl::ConsumeSuffix(&line, " kB");
    int64_t value = 0;
    if (absl::SimpleAtoi(line, &value)) kilobytes += value;
  }
  return kilobytes * 1024;
}

absl::StatusOr<ProcessStat> ReadProcessStat(int64_t pid) {
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(ProcPath(pid, "stat")));
  return ParseProcessStat(text);
}

int64_t ReadUnsharedRss(int64_t pid) {
  const absl::StatusOr<std::string> text = ReadFile(ProcPath(pid, "status"));
  return text.ok() ? ParseUnsharedRss(*text) : 0;
}

}  // namespace tersor
