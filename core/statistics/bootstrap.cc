#include "core/statistics/bootstrap.h"

#include <cmath>

#include "core/statistics/moments.h"

namespace tersor {
namespace {

// SplitMix64 (Steele, Lea and Flood 2014).
class Stream {
 public:
  explicit Stream(uint64_t state) : state_(state) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, n); the bias of at most n / 2^32 is far below what a replicate resolves.
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(((Next() >> 32) * n) >> 32); }

 private:
  uint64_t state_;
};

}  // namespace

std::vector<double> BootstrapReplicates(uint32_t n, const ItemStatistic& statistic, int replicates, uint64_t seed) {
  std::vector<double> values;
  if (n == 0) return values;
  values.reserve(replicates);
  std::vector<uint32_t> items(n);
  for (int r = 0; r < replicates; ++r) {
    Stream stream(Stream(seed ^ (static_cast<uint64_t>(r) << 32)).Next());
    for (uint32_t& item : items) item = stream.Below(n);
    if (const double value = statistic(items); !std::isnan(value)) values.push_back(value);
  }
  return values;
}

double BootstrapError(std::span<const double> replicates) { return std::sqrt(SampleVariance(replicates)); }

Interval BootstrapInterval(std::span<const double> replicates, double confidence) {
  if (replicates.size() < 2) return {};
  return {Quantile(replicates, (1 - confidence) / 2), Quantile(replicates, (1 + confidence) / 2)};
}

}  // namespace tersor
