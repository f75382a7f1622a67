#include "core/kernels/grid_rounding.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/grid_rounding.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::CappedTag<float, kPanelRows>;

// The nearest code, as a float.
template <class V>
HWY_INLINE V NearestCode(V value, V inverse_scale, V zero_point, V max_code) {
  const V code = hn::Round(hn::MulAdd(value, inverse_scale, zero_point));
  return hn::Min(hn::Max(code, hn::Zero(Lanes())), max_code);
}

// Plain float arithmetic with the same operations, for what does not fill a vector.
HWY_INLINE float NearestCodeOf(float value, float inverse_scale, const GridCandidate& grid, float max_code) {
  const hn::CappedTag<float, 1> one;
  const auto code =
      hn::Round(hn::MulAdd(hn::Set(one, value), hn::Set(one, inverse_scale), hn::Set(one, grid.zero_point)));
  return hn::GetLane(hn::Min(hn::Max(code, hn::Zero(one)), hn::Set(one, max_code)));
}

void RoundWithFeedback(const FeedbackPanel& panel, const PanelGrid& grid, float* codes, float* errors, float* losses) {
  const Lanes d;
  const int64_t lanes = hn::Lanes(d);
  const auto max_code = hn::Set(d, grid.max_code);
  for (int64_t r = 0; r < kPanelRows; r += lanes) hn::StoreU(hn::Zero(d), d, losses + r);
  for (int64_t k = 0; k < panel.columns; ++k) {
    const float* feedback = panel.feedback + k * panel.feedback_stride;
    const auto importance = hn::Set(d, panel.importance[k]);
    for (int64_t r = 0; r < kPanelRows; r += lanes) {
      const int64_t at = k * kPanelRows + r, grid_at = k * grid.stride + r;
      const auto scale = hn::LoadU(d, grid.scales + grid_at);
      const auto zero_point = hn::LoadU(d, grid.zero_points + grid_at);
      const auto target = hn::LoadU(d, panel.targets + at);
      const auto code = NearestCode(target, hn::LoadU(d, grid.inverse_scales + grid_at), zero_point, max_code);
      const auto value = hn::Mul(hn::Sub(code, zero_point), scale);
      const auto miss = hn::Sub(target, value);
      hn::StoreU(hn::MulAdd(hn::Mul(importance, miss), miss, hn::LoadU(d, losses + r)), d, losses + r);
      hn::StoreU(code, d, codes + at);
      hn::StoreU(hn::Sub(hn::LoadU(d, panel.weights + at), value), d, errors + at);
    }
    for (int64_t j = k + 1; j < panel.held_columns; ++j) {
      const auto factor = hn::Set(d, feedback[j]);
      for (int64_t r = 0; r < kPanelRows; r += lanes) {
        float* target = panel.targets + j * kPanelRows + r;
        hn::StoreU(hn::MulAdd(hn::LoadU(d, errors + k * kPanelRows + r), factor, hn::LoadU(d, target)), d, target);
      }
    }
  }
}

void DescendCoordinates(int64_t columns, const float* moment, const float* inverse_diagonal, const PanelGrid& grid,
                        float* codes, float* errors, float* gradient) {
  const Lanes d;
  const int64_t lanes = hn::Lanes(d);
  const auto max_code = hn::Set(d, grid.max_code);
  HWY_ALIGN float steps[kPanelRows];
  for (int64_t k = 0; k < columns; ++k) {
    const float* row = moment + k * columns;
    const auto inverse = hn::Set(d, inverse_diagonal[k]);
    bool moved = false;
    for (int64_t r = 0; r < kPanelRows; r += lanes) {
      const int64_t at = k * kPanelRows + r, grid_at = k * grid.stride + r;
      const auto scale = hn::LoadU(d, grid.scales + grid_at);
      const auto zero_point = hn::LoadU(d, grid.zero_points + grid_at);
      const auto code = hn::LoadU(d, codes + at);
      // The minimum over a real value lies at value + gradient / H_kk.
      const auto value = hn::Mul(hn::Sub(code, zero_point), scale);
      const auto target = hn::MulAdd(hn::LoadU(d, gradient + at), inverse, value);
      auto best = NearestCode(target, hn::LoadU(d, grid.inverse_scales + grid_at), zero_point, max_code);
      best = hn::IfThenElse(hn::Eq(scale, hn::Zero(d)), code, best);
      const auto step = hn::Mul(hn::Sub(code, best), scale);
      moved = moved || !hn::AllFalse(d, hn::Ne(code, best));
      hn::StoreU(best, d, codes + at);
      hn::StoreU(hn::Add(hn::LoadU(d, errors + at), step), d, errors + at);
      hn::StoreU(step, d, steps + r);
    }
    if (!moved) continue;
    for (int64_t j = 0; j < columns; ++j) {
      const auto factor = hn::Set(d, row[j]);
      for (int64_t r = 0; r < kPanelRows; r += lanes) {
        float* at = gradient + j * kPanelRows + r;
        hn::StoreU(hn::MulAdd(hn::LoadU(d, steps + r), factor, hn::LoadU(d, at)), d, at);
      }
    }
  }
}

// Sum of importance * error^2.
float GridError(const float* values, const float* importance, int64_t count, const GridCandidate& grid,
                float max_code) {
  const Lanes d;
  const int64_t lanes = hn::Lanes(d);
  const float inverse_scale = grid.scale == 0 ? 0 : 1 / grid.scale;
  const auto scale = hn::Set(d, grid.scale), inverse = hn::Set(d, inverse_scale);
  const auto zero_point = hn::Set(d, grid.zero_point), max = hn::Set(d, max_code), one = hn::Set(d, 1.0f);
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(d, values + i);
    const auto code = NearestCode(value, inverse, zero_point, max);
    const auto miss = hn::Sub(value, hn::Mul(hn::Sub(code, zero_point), scale));
    const auto weight = importance == nullptr ? one : hn::LoadU(d, importance + i);
    sum = hn::MulAdd(hn::Mul(weight, miss), miss, sum);
  }
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < count; ++i) {
    const float code = NearestCodeOf(values[i], inverse_scale, grid, max_code);
    const float miss = values[i] - (code - grid.zero_point) * grid.scale;
    total += (importance == nullptr ? 1.0f : importance[i]) * miss * miss;
  }
  return total;
}

int64_t BestGrid(const float* values, const float* importance, int64_t count, const GridCandidate* candidates,
                 int64_t candidate_count, float max_code) {
  int64_t best = 0;
  float least = 0;
  for (int64_t c = 0; c < candidate_count; ++c) {
    const float error = GridError(values, importance, count, candidates[c], max_code);
    if (c > 0 && !(error < least)) continue;
    best = c;
    least = error;
  }
  return best;
}

void RoundToGrid(const float* values, int64_t count, const GridCandidate& grid, float max_code, uint8_t* codes) {
  const Lanes d;
  const hn::RebindToSigned<Lanes> integers;
  const int64_t lanes = hn::Lanes(d);
  const float inverse_scale = grid.scale == 0 ? 0 : 1 / grid.scale;
  const auto inverse = hn::Set(d, inverse_scale), zero_point = hn::Set(d, grid.zero_point), max = hn::Set(d, max_code);
  HWY_ALIGN int32_t rounded[kPanelRows];
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto code = NearestCode(hn::LoadU(d, values + i), inverse, zero_point, max);
    hn::StoreU(hn::ConvertTo(integers, code), integers, rounded);
    for (int64_t lane = 0; lane < lanes; ++lane) codes[i + lane] = static_cast<uint8_t>(rounded[lane]);
  }
  for (; i < count; ++i) {
    codes[i] = static_cast<uint8_t>(NearestCodeOf(values[i], inverse_scale, grid, max_code));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(RoundWithFeedback);
HWY_EXPORT(DescendCoordinates);
HWY_EXPORT(BestGrid);
HWY_EXPORT(RoundToGrid);

void RoundWithFeedback(const FeedbackPanel& panel, const PanelGrid& grid, float* codes, float* errors, float* losses) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(RoundWithFeedback)(panel, grid, codes, errors, losses);
}

void DescendCoordinates(int64_t columns, const float* moment, const float* inverse_diagonal, const PanelGrid& grid,
                        float* codes, float* errors, float* gradient) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(DescendCoordinates)(columns, moment, inverse_diagonal, grid, codes, errors, gradient);
}

int64_t BestGrid(const float* values, const float* importance, int64_t count, const GridCandidate* candidates,
                 int64_t candidate_count, float max_code) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(BestGrid)(values, importance, count, candidates, candidate_count, max_code);
}

void RoundToGrid(const float* values, int64_t count, const GridCandidate& grid, float max_code, uint8_t* codes) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(RoundToGrid)(values, count, grid, max_code, codes);
}

}  // namespace tersor
#endif  // HWY_ONCE
