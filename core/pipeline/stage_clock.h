// Time and peak memory of one stage.
#ifndef TERSOR_CORE_PIPELINE_STAGE_CLOCK_H_
#define TERSOR_CORE_PIPELINE_STAGE_CLOCK_H_

#include <string>

#include "core/base/stopwatch.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Starts at construction, where it also resets VmHWM (where the kernel refuses that, the peak is the process's so far).
class StageClock {
 public:
  explicit StageClock(std::string name);
  double Seconds() const { return watch_.Seconds(); }
  v1::StageReport Report() const;

 private:
  std::string name_;
  Stopwatch watch_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_STAGE_CLOCK_H_
