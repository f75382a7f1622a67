#include "core/pipeline/stage_clock.h"

#include <utility>

#include "core/base/peak_memory.h"

namespace tersor {
StageClock::StageClock(std::string name) : name_(std::move(name)), start_(std::chrono::steady_clock::now()) {
  ResetPeakResidentBytes();
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
