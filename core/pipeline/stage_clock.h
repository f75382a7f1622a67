// Time and peak memory of one stage.
#ifndef TERSOR_CORE_PIPELINE_STAGE_CLOCK_H_
#define TERSOR_CORE_PIPELINE_STAGE_CLOCK_H_

#include <chrono>
#include <string>

#include "tersor/v1/report.pb.h"

namespace tersor {

// Starts at construction, where it also resets VmHWM (where the kernel refuses that, the peak is the process's so far).
class StageClock {
 public:
  explicit StageClock(std::string name);
  double Seconds() const;
  v1::StageReport Report() const;

 private:
  std::string name_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_STAGE_CLOCK_H_
