#include "core/base/peak_memory.h"

#include <malloc.h>

#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tersor {

namespace {

// Of /proc/self/status, whose sizes are kilobytes; 0 where there is no such line.
int64_t StatusBytes(absl::string_view key) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    absl::string_view rest = line;
    if (!absl::ConsumePrefix(&rest, key)) continue;
    const std::vector<absl::string_view> words = absl::StrSplit(rest, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t kilobytes = 0;
    if (words.empty() || !absl::SimpleAtoi(words[0], &kilobytes)) return 0;
    return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

int64_t PeakResidentBytes() { return StatusBytes("VmHWM:"); }

int64_t OwnResidentBytes() { return StatusBytes("RssAnon:"); }

bool ResetPeakResidentBytes() {
  std::ofstream clear("/proc/self/clear_refs");
  clear << "5" << std::flush;
  return clear.good();
}

void ReturnFreeMemory() { malloc_trim(0); }

}  // namespace tersor
