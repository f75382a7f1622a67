#include "core/pipeline/stage_clock.h"

#include <fstream>
#include <utility>

namespace tersor {
namespace {

// Writing 5 resets VmHWM to the current resident size (proc(5), clear_refs).
void ResetPeak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5";
}

}  // namespace

int64_t PeakResidentBytes() {
  std::ifstream file("/proc/self/status");
  std::string key;
  while (file >> key) {
    int64_t kibibytes = 0;
    if (key == "VmHWM:" && file >> kibibytes) return kibibytes * 1024;
    file.ignore(4096, '\n');
  }
  return 0;
}

StageClock::StageClock(std::string name) : name_(std::move(name)), start_(std::chrono::steady_clock::now()) {
  ResetPeak();
}

double StageClock::Seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

v1::StageReport StageClock::Report() const {
  v1::StageReport report;
  report.set_name(name_);
  report.set_seconds(Seconds());
  report.set_peak_rss_bytes(PeakResidentBytes());
  return report;
}

}  // namespace tersor
