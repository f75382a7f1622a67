#include "core/kernels/machine_limits.h"

#include <algorithm>
#include <atomic>

#include "absl/functional/function_ref.h"
#include "core/base/stopwatch.h"
#include "core/kernels/scratch.h"
#include "core/kernels/targets.h"
#include "core/kernels/worker_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/machine_limits.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

float ReadAll(const float* x, int64_t count) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  V a = hn::Zero(d), b = a, c = a, e = a;
  for (int64_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, x + i));
    b = hn::Add(b, hn::LoadU(d, x + i + lanes));
    c = hn::Add(c, hn::LoadU(d, x + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, x + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

// Returns the float operations done; `result` keeps the compiler from dropping them.
int64_t MultiplyAdds(int64_t rounds, float* result) {
  const D d;
  // Two units of latency 4 or 5 are busy with this many chains.
  constexpr int kChains = 12;
  const V factor = hn::Set(d, 0.999f), term = hn::Set(d, result[0]);
  V chains[kChains];
  for (int c = 0; c < kChains; ++c) chains[c] = hn::Set(d, static_cast<float>(c));
  for (int64_t round = 0; round < rounds; ++round) {
    for (int c = 0; c < kChains; ++c) chains[c] = hn::MulAdd(chains[c], factor, term);
  }
  V sum = chains[0];
  for (int c = 1; c < kChains; ++c) sum = hn::Add(sum, chains[c]);
  *result = hn::GetLane(hn::SumOfLanes(d, sum));
  return rounds * kChains * static_cast<int64_t>(hn::Lanes(d)) * 2;
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {
namespace {

// The best rate of runs that take about half a second in all; `run` returns the units it has done.
double BestRate(absl::FunctionRef<double()> run) {
  const Stopwatch all;
  double best = 0;
  do {
    const Stopwatch watch;
    const double units = run();
    best = std::max(best, units / watch.Seconds());
  } while (all.Seconds() < 0.5);
  return best;
}

}  // namespace

HWY_EXPORT(ReadAll);
HWY_EXPORT(MultiplyAdds);

double MeasureReadBandwidth(int threads, int64_t bytes) {
  LimitTargets();
  threads = std::max(threads, 1);
  const int64_t part = bytes / static_cast<int64_t>(sizeof(float)) / threads;
  ScratchBuffer buffer(part * threads);
  RunTasks(threads, threads, [&](int64_t i) { std::fill_n(buffer.data() + i * part, part, 1.0f); });
  std::atomic<float> sink{0};
  return BestRate([&] {
    RunTasks(threads, threads,
             [&](int64_t i) { sink = HWY_DYNAMIC_DISPATCH(ReadAll)(buffer.data() + i * part, part); });
    return static_cast<double>(part) * threads * sizeof(float);
  });
}

double MeasureMultiplyAddRate(int threads) {
  LimitTargets();
  threads = std::max(threads, 1);
  constexpr int64_t kRounds = 2000000;
  return BestRate([&] {
    std::atomic<int64_t> operations{0};
    RunTasks(threads, threads, [&](int64_t) {
      float result = 0.5f;
      operations += HWY_DYNAMIC_DISPATCH(MultiplyAdds)(kRounds, &result);
    });
    return static_cast<double>(operations);
  });
}

}  // namespace tersor
#endif  // HWY_ONCE
