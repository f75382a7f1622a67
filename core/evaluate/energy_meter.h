// Energy that the processor packages have used, by the kernel's RAPL counters.
#ifndef TERSOR_CORE_EVALUATE_ENERGY_METER_H_
#define TERSOR_CORE_EVALUATE_ENERGY_METER_H_

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/base/status.h"

namespace tersor {

// Counts the packages' domains (intel-rapl:0, intel-rapl:1, ...; AMD processors show the same files), everything that
// runs on them included. Thread-compatible.
class EnergyMeter {
 public:
  // UNAVAILABLE says why nothing can be counted: virtual machines and containers mostly show no counters, and reading
  // them often takes root.
  static absl::StatusOr<EnergyMeter> Open(const std::filesystem::path& powercap = "/sys/class/powercap");

  // Joules since Open. Counters start again at 0 now and then: right as long as Joules is called more often than that
  // (every few minutes).
  absl::StatusOr<double> Joules();

 private:
  struct Domain {
    std::filesystem::path counter;
    uint64_t range = 0;
    uint64_t last = 0;
  };
  EnergyMeter() = default;

  std::vector<Domain> domains_;
  double microjoules_ = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_ENERGY_METER_H_
