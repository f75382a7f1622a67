#include "core/kernels/grid_rounding.h"

#include <algorithm>
#include <limits>

#include "core/kernels/scratch.h"
#include "core/kernels/targets.h"
#include "core/tensor/float16.h"

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

// Rounds a few columns; row k of `feedback` is `stride` floats on.
void RoundColumns(int64_t columns, const float* feedback, int64_t stride, const float* importances,
                  const float* weights, const float* floats, float* targets, const PanelGrid& grid, float* codes,
                  float* errors, float* losses) {
  const Lanes d;
  const int64_t lanes = hn::Lanes(d);
  const auto max_code = hn::Set(d, grid.max_code);
  for (int64_t k = 0; k < columns; ++k, feedback += stride) {
    const auto importance = hn::Set(d, importances[k]);
    for (int64_t r = 0; r < kPanelRows; r += lanes) {
      const int64_t at = k * kPanelRows + r, grid_at = k * grid.stride + r;
      const auto scale = hn::LoadU(d, grid.scales + grid_at);
      const auto zero_point = hn::LoadU(d, grid.zero_points + grid_at);
      const auto target = hn::LoadU(d, targets + at);
      const auto code = NearestCode(target, hn::LoadU(d, grid.inverse_scales + grid_at), zero_point, max_code);
      auto value = hn::Mul(hn::Sub(code, zero_point), scale);
      if (floats != nullptr) {
        value = hn::IfThenElse(hn::Ne(hn::LoadU(d, floats + at), hn::Zero(d)), target, value);
      }
      const auto miss = hn::Sub(target, value);
      hn::StoreU(hn::MulAdd(hn::Mul(importance, miss), miss, hn::LoadU(d, losses + r)), d, losses + r);
      hn::StoreU(code, d, codes + at);
      const auto error = hn::Sub(hn::LoadU(d, weights + at), value);
      hn::StoreU(error, d, errors + at);
      for (int64_t j = k + 1; j < columns; ++j) {
        float* later = targets + j * kPanelRows + r;
        hn::StoreU(hn::MulAdd(error, hn::Set(d, feedback[j]), hn::LoadU(d, later)), d, later);
      }
    }
  }
}

// SolveFeedback for a few columns; `negated` receives -x.
void SolveColumns(int64_t columns, const float* feedback, int64_t stride, float* x, float* negated) {
  const Lanes d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t k = 0; k < columns; ++k, feedback += stride) {
    for (int64_t r = 0; r < kPanelRows; r += lanes) {
      const auto value = hn::LoadU(d, x + k * kPanelRows + r);
      hn::StoreU(hn::Neg(value), d, negated + k * kPanelRows + r);
      for (int64_t j = k + 1; j < columns; ++j) {
        float* later = x + j * kPanelRows + r;
        hn::StoreU(hn::NegMulAdd(value, hn::Set(d, feedback[j]), hn::LoadU(d, later)), d, later);
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

// Adding this to a float below 2^22 leaves its nearest integer in the last bits.
constexpr float kIntegerBias = 12582912.0f;

// Errors of kCandidates candidates, of which `scales` and `zero_points` are the first.
template <int kCandidates, class V>
HWY_INLINE void GridErrors(const float* values, const float* importance, int64_t columns, const float* scales,
                           const float* zero_points, V max_code, V* errors) {
  const Lanes d;
  const V low = hn::Set(d, kIntegerBias), high = hn::Add(low, max_code);
  V scale[kCandidates], inverse[kCandidates], bias[kCandidates];
  for (int c = 0; c < kCandidates; ++c) {
    scale[c] = hn::LoadU(d, scales + c * kPanelRows);
    inverse[c] = hn::Div(hn::Set(d, 1.0f), scale[c]);
    inverse[c] = hn::IfThenZeroElse(hn::Eq(scale[c], hn::Zero(d)), inverse[c]);
    bias[c] = hn::Add(low, hn::LoadU(d, zero_points + c * kPanelRows));
    errors[c] = hn::Zero(d);
  }
  for (int64_t k = 0; k < columns; ++k) {
    const V value = hn::LoadU(d, values + k * kPanelRows);
    const V weight = hn::Set(d, importance == nullptr ? 1.0f : importance[k]);
    for (int c = 0; c < kCandidates; ++c) {
      const V code = hn::Min(hn::Max(hn::MulAdd(value, inverse[c], bias[c]), low), high);
      const V miss = hn::NegMulAdd(hn::Sub(code, bias[c]), scale[c], value);
      errors[c] = hn::MulAdd(hn::Mul(weight, miss), miss, errors[c]);
    }
  }
}

template <int kCandidates>
HWY_INLINE void TryGrids(const float* values, const float* importance, int64_t columns,
                         const GridCandidates& candidates, int64_t first, int64_t row, float max_code, float* least,
                         int32_t* best) {
  const Lanes d;
  const hn::RebindToSigned<Lanes> integers;
  hn::Vec<Lanes> errors[kCandidates];
  const int64_t at = first * kPanelRows + row;
  GridErrors<kCandidates>(values + row, importance, columns, candidates.scales + at, candidates.zero_points + at,
                          hn::Set(d, max_code), errors);
  for (int c = 0; c < kCandidates; ++c) {
    const auto before = hn::LoadU(d, least + row);
    const auto better = hn::Lt(errors[c], before);
    hn::StoreU(hn::IfThenElse(better, errors[c], before), d, least + row);
    const auto index = hn::Set(integers, static_cast<int32_t>(first + c));
    hn::StoreU(hn::IfThenElse(hn::RebindMask(integers, better), index, hn::LoadU(integers, best + row)), integers,
               best + row);
  }
}

void BestGrids(const float* values, const float* importance, int64_t columns, const GridCandidates& candidates,
               float max_code, int32_t* best) {
  constexpr int kTogether = 4;
  const int64_t lanes = hn::Lanes(Lanes());
  HWY_ALIGN float least[kPanelRows];
  std::fill(least, least + kPanelRows, std::numeric_limits<float>::infinity());
  std::fill(best, best + kPanelRows, 0);
  for (int64_t row = 0; row < kPanelRows; row += lanes) {
    int64_t c = 0;
    for (; c + kTogether <= candidates.count; c += kTogether) {
      TryGrids<kTogether>(values, importance, columns, candidates, c, row, max_code, least, best);
    }
    for (; c < candidates.count; ++c) {
      TryGrids<1>(values, importance, columns, candidates, c, row, max_code, least, best);
    }
  }
}

void RoundPanelToGrids(const float* values, int64_t columns, const float* scales, const float* zero_points,
                       float max_code, float* codes, float* rounded) {
  const Lanes d;
  const int64_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d), one = hn::Set(d, 1.0f), max = hn::Set(d, max_code);
  for (int64_t row = 0; row < kPanelRows; row += lanes) {
    const auto scale = hn::LoadU(d, scales + row), zero_point = hn::LoadU(d, zero_points + row);
    const auto inverse = hn::IfThenZeroElse(hn::Eq(scale, zero), hn::Div(one, scale));
    for (int64_t at = row; at < columns * kPanelRows; at += kPanelRows) {
      const auto code = NearestCode(hn::LoadU(d, values + at), inverse, zero_point, max);
      hn::StoreU(code, d, codes + at);
      hn::StoreU(hn::Mul(hn::Sub(code, zero_point), scale), d, rounded + at);
    }
  }
}

void LeastSquaresScales(const float* values, const float* importance, int64_t columns, const float* scales,
                        const float* zero_points, float max_code, float* fitted) {
  const Lanes d;
  const int64_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d), one = hn::Set(d, 1.0f), max = hn::Set(d, max_code);
  for (int64_t row = 0; row < kPanelRows; row += lanes) {
    const auto scale = hn::LoadU(d, scales + row), zero_point = hn::LoadU(d, zero_points + row);
    const auto inverse = hn::IfThenZeroElse(hn::Eq(scale, zero), hn::Div(one, scale));
    auto product = zero, square = zero;
    for (int64_t k = 0; k < columns; ++k) {
      const auto value = hn::LoadU(d, values + k * kPanelRows + row);
      const auto steps = hn::Sub(NearestCode(value, inverse, zero_point, max), zero_point);
      const auto weighted = hn::Mul(steps, hn::Set(d, importance == nullptr ? 1.0f : importance[k]));
      product = hn::MulAdd(weighted, value, product);
      square = hn::MulAdd(weighted, steps, square);
    }
    hn::StoreU(hn::IfThenElse(hn::Gt(square, zero), hn::Div(product, square), scale), d, fitted + row);
  }
}

void RoundToF16(float* values, int64_t count) {
  const hn::CappedTag<float, 16> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> half;
  const int64_t lanes = hn::Lanes(d);
  const auto largest = hn::Set(d, 65504.0f);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::Min(hn::Max(hn::LoadU(d, values + i), hn::Neg(largest)), largest);
    hn::StoreU(hn::PromoteTo(d, hn::DemoteTo(half, value)), d, values + i);
  }
  for (; i < count; ++i) values[i] = F16ToFloat(FloatToF16(std::min(std::max(values[i], -65504.0f), 65504.0f)));
}

void RoundToGrid(const float* values, int64_t count, const GridCandidate& grid, float max_code, uint8_t* codes) {
  const Lanes d;
  const hn::RebindToSigned<Lanes> integers;
  const hn::Rebind<uint8_t, Lanes> bytes;
  const int64_t lanes = hn::Lanes(d);
  const float inverse_scale = grid.scale == 0 ? 0 : 1 / grid.scale;
  const auto inverse = hn::Set(d, inverse_scale), zero_point = hn::Set(d, grid.zero_point), max = hn::Set(d, max_code);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto code = NearestCode(hn::LoadU(d, values + i), inverse, zero_point, max);
    hn::StoreU(hn::DemoteTo(bytes, hn::ConvertTo(integers, code)), bytes, codes + i);
  }
  for (; i < count; ++i) {
    codes[i] = static_cast<uint8_t>(NearestCodeOf(values[i], inverse_scale, grid, max_code));
  }
}

void GroupRanges(const GroupedRow& row, float* low, float* high) {
  const Lanes d;
  const int64_t lanes = hn::Lanes(d);
  const float* values = row.values;
  for (int64_t g = 0; g < row.groups; ++g, values += row.group) {
    auto least = hn::Zero(d), most = hn::Zero(d);
    int64_t i = 0;
    for (; i + lanes <= row.group; i += lanes) {
      const auto value = hn::LoadU(d, values + i);
      least = hn::Min(least, value);
      most = hn::Max(most, value);
    }
    low[g] = hn::GetLane(hn::MinOfLanes(d, least));
    high[g] = hn::GetLane(hn::MaxOfLanes(d, most));
    for (; i < row.group; ++i) {
      low[g] = std::min(low[g], values[i]);
      high[g] = std::max(high[g], values[i]);
    }
  }
}

void RoundGroupsToGrids(const GroupedRow& row, const float* scales, const float* zero_points, float max_code,
                        uint8_t* codes) {
  for (int64_t g = 0; g < row.groups; ++g) {
    RoundToGrid(row.values + g * row.group, row.group, {scales[g], zero_points[g]}, max_code, codes + g * row.group);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(RoundColumns);
HWY_EXPORT(SolveColumns);
HWY_EXPORT(DescendCoordinates);
HWY_EXPORT(BestGrids);
HWY_EXPORT(RoundPanelToGrids);
HWY_EXPORT(LeastSquaresScales);
HWY_EXPORT(RoundToF16);
HWY_EXPORT(RoundToGrid);
HWY_EXPORT(GroupRanges);
HWY_EXPORT(RoundGroupsToGrids);

namespace {

// Columns worked on one by one; those before them in the block reach them by a product.
constexpr int64_t kFewColumns = 16;
static_assert(kPanelColumns % kFewColumns == 0, "few columns must lie in one panel");

// Calls run(column, how many) for few columns at a time, none of them in two panels.
template <typename Run>
void ForFewColumns(int64_t first, int64_t count, const Run& run) {
  const int64_t end = first + count;
  for (int64_t column = first; column < end;) {
    const int64_t columns = std::min(kFewColumns - column % kFewColumns, end - column);
    run(column, columns);
    column += columns;
  }
}

}  // namespace

void AddFeedback(const TrianglePanels& feedback, int64_t begin, int64_t end, int64_t first, int64_t count,
                 const float* errors, float* targets) {
  // So many errors and factors stay in the first-level cache.
  constexpr int64_t kDepth = 128;
  for (int64_t column = first; column < first + count;) {
    const int64_t columns = std::min(kPanelColumns - column % kPanelColumns, first + count - column);
    for (int64_t k = begin; k < end; k += kDepth) {
      AddOuterProducts({std::min(kDepth, end - k), feedback.column(column) + k * kPanelColumns, kPanelColumns, columns,
                        errors + (k - begin) * kPanelRows, kPanelRows, kPanelRows,
                        targets + (column - first) * kPanelRows, kPanelRows});
    }
    column += columns;
  }
}

void SolveFeedback(const TrianglePanels& feedback, int64_t first, int64_t count, float* x) {
  ScratchBuffer negated(count * kPanelRows);
  ForFewColumns(first, count, [&](int64_t column, int64_t columns) {
    float* at = x + (column - first) * kPanelRows;
    AddFeedback(feedback, first, column, column, columns, negated.data(), at);
    HWY_DYNAMIC_DISPATCH(SolveColumns)
    (columns, feedback.column(column) + column * kPanelColumns, kPanelColumns, at,
     negated.data() + (column - first) * kPanelRows);
  });
}

void RoundWithFeedback(const FeedbackPanel& panel, const PanelGrid& grid, float* codes, float* errors, float* losses) {
  LimitTargets();
  std::fill(losses, losses + kPanelRows, 0.0f);
  ForFewColumns(panel.first, panel.columns, [&](int64_t column, int64_t columns) {
    const int64_t k = column - panel.first, at = k * kPanelRows;
    AddFeedback(*panel.feedback, panel.first, column, column, columns, errors, panel.targets + at);
    PanelGrid own = grid;
    own.scales += k * grid.stride;
    own.inverse_scales += k * grid.stride;
    own.zero_points += k * grid.stride;
    HWY_DYNAMIC_DISPATCH(RoundColumns)
    (columns, panel.feedback->column(column) + column * kPanelColumns, kPanelColumns, panel.importance + k,
     panel.weights + at, panel.floats == nullptr ? nullptr : panel.floats + at, panel.targets + at, own, codes + at,
     errors + at, losses);
  });
}

void DescendCoordinates(int64_t columns, const float* moment, const float* inverse_diagonal, const PanelGrid& grid,
                        float* codes, float* errors, float* gradient) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(DescendCoordinates)(columns, moment, inverse_diagonal, grid, codes, errors, gradient);
}

void BestGrids(const float* values, const float* importance, int64_t columns, const GridCandidates& candidates,
               float max_code, int32_t* best) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(BestGrids)(values, importance, columns, candidates, max_code, best);
}

void RoundPanelToGrids(const float* values, int64_t columns, const float* scales, const float* zero_points,
                       float max_code, float* codes, float* rounded) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(RoundPanelToGrids)(values, columns, scales, zero_points, max_code, codes, rounded);
}

void LeastSquaresScales(const float* values, const float* importance, int64_t columns, const float* scales,
                        const float* zero_points, float max_code, float* fitted) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(LeastSquaresScales)(values, importance, columns, scales, zero_points, max_code, fitted);
}

void RoundToF16(float* values, int64_t count) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(RoundToF16)(values, count);
}

void RoundToGrid(const float* values, int64_t count, const GridCandidate& grid, float max_code, uint8_t* codes) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(RoundToGrid)(values, count, grid, max_code, codes);
}

void GroupRanges(const GroupedRow& row, float* low, float* high) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(GroupRanges)(row, low, high);
}

void RoundGroupsToGrids(const GroupedRow& row, const float* scales, const float* zero_points, float max_code,
                        uint8_t* codes) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(RoundGroupsToGrids)(row, scales, zero_points, max_code, codes);
}

}  // namespace tersor
#endif  // HWY_ONCE
