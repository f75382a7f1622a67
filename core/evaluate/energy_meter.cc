#include "core/evaluate/energy_meter.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

absl::StatusOr<uint64_t> ReadCounter(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text;
  uint64_t value = 0;
  if (file && std::getline(file, text) && absl::SimpleAtoi(text, &value)) return value;
  return absl::UnavailableError(absl::StrCat("cannot read ", path.string()));
}

// "intel-rapl:0", not its parts such as "intel-rapl:0:1", nor the second view "intel-rapl-mmio:0".
bool IsPackage(absl::string_view name) {
  return absl::StartsWith(name, "intel-rapl:") && std::count(name.begin(), name.end(), ':') == 1;
}

}  // namespace

absl::StatusOr<EnergyMeter> EnergyMeter::Open(const std::filesystem::path& powercap) {
  EnergyMeter meter;
  std::error_code error;
  std::filesystem::directory_iterator entries(powercap, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (!IsPackage(entries->path().filename().string())) continue;
    Domain domain;
    domain.counter = entries->path() / "energy_uj";
    TERSOR_ASSIGN_OR_RETURN(domain.range, ReadCounter(entries->path() / "max_energy_range_uj"));
    TERSOR_ASSIGN_OR_RETURN(domain.last, ReadCounter(domain.counter));
    meter.domains_.push_back(std::move(domain));
  }
  if (!meter.domains_.empty()) return meter;
  return absl::UnavailableError(absl::StrCat("this machine shows no RAPL counters in ", powercap.string()));
}

absl::StatusOr<double> EnergyMeter::Joules() {
  for (Domain& domain : domains_) {
    TERSOR_ASSIGN_OR_RETURN(const uint64_t now, ReadCounter(domain.counter));
    microjoules_ += static_cast<double>(now >= domain.last ? now - domain.last : domain.range - domain.last + now);
    domain.last = now;
  }
  return microjoules_ / 1e6;
}

}  // namespace tersor
