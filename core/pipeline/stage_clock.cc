#include "core/pipeline/stage_clock.h"

#include <utility>

#include "core/base/peak_memory.h"

namespace tersor {

StageClock::StageClock(std::string name) : name_(std::move(name)) { ResetPeakResidentBytes(); }

v1::StageReport StageClock::Report() const {
  v1::StageReport report;
  report.set_name(name_);
  report.set_seconds(Seconds());
  report.set_peak_rss_bytes(PeakResidentBytes());
  return report;
}

}  // namespace tersor
