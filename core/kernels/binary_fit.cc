#include "core/kernels/binary_fit.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/binary_fit.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kPanelRows>;
using DInts = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VInts = hn::Vec<DInts>;
using M = hn::Mask<D>;

// Planes whose pivot is under this share of the columns' importance depend on the planes before them.
constexpr float kLeastPivot = 1e-4f;

HWY_INLINE V RoundedToF16(V value) {
  const D d;
  const hn::Rebind<hwy::float16_t, D> half;
  const V largest = hn::Set(d, 65504.0f);
  return hn::PromoteTo(d, hn::DemoteTo(half, hn::Min(hn::Max(value, hn::Neg(largest)), largest)));
}

// One row a lane; `values` and `codes` begin with the first of these rows.
template <int kPlanes>
class RowsFit {
 public:
  RowsFit(const float* values, std::span<const float> importance)
      : values_(values), importance_(importance), columns_(static_cast<int64_t>(importance.size())) {
    for (const float share : importance) total_importance_ += share;
  }

  void Greedy() {
    const D d;
    const V share = hn::Set(d, 1.0f / static_cast<float>(columns_));
    for (int plane = 0; plane < kPlanes; ++plane) {
      V sum = hn::Zero(d);
      for (int64_t k = 0; k < columns_; ++k) sum = hn::Add(sum, hn::Abs(Rest(k, plane)));
      scales_[plane] = hn::Mul(sum, share);
    }
  }

  void StoreGreedyCodes(int32_t* codes) const {
    const D d;
    const DInts ints;
    for (int64_t k = 0; k < columns_; ++k) {
      V rest = hn::LoadU(d, values_ + k * kPanelRows);
      VInts code = hn::Zero(ints);
      for (int plane = 0; plane < kPlanes; ++plane) {
        const M positive = hn::Ge(rest, hn::Zero(d));
        const VInts bit = hn::IfThenElseZero(hn::RebindMask(ints, positive), hn::Set(ints, 1 << plane));
        code = hn::Or(code, bit);
        rest = Less(rest, positive, plane);
      }
      hn::StoreU(code, ints, codes + k * kPanelRows);
    }
  }

  // The values lie evenly between the row's largest magnitude and its opposite.
  void Even() {
    const D d;
    V largest = hn::Zero(d);
    for (int64_t k = 0; k < columns_; ++k) {
      largest = hn::Max(largest, hn::Abs(hn::LoadU(d, values_ + k * kPanelRows)));
    }
    for (int plane = 0; plane < kPlanes; ++plane) {
      const float share = static_cast<float>(1 << (kPlanes - 1 - plane)) / static_cast<float>((1 << kPlanes) - 1);
      scales_[plane] = hn::Mul(largest, hn::Set(d, share));
    }
  }

  // From the scales as they are.
  void Alternate(int rounds) {
    const D d;
    V least = Choose(nullptr);
    Keep(least);
    M improving = hn::Eq(least, least);
    for (int round = 0; round < rounds; ++round) {
      improving = hn::And(improving, Solve());
      if (hn::AllFalse(d, improving)) break;
      RoundScales();
      const V error = Choose(nullptr);
      Keep(error);
      improving = hn::And(improving, hn::Lt(error, least));
      least = hn::IfThenElse(improving, error, least);
    }
  }

  // Goes back to the best scales that there were.
  void TakeBest() {
    for (int plane = 0; plane < kPlanes; ++plane) scales_[plane] = best_[plane];
  }

  void RoundScales() {
    for (V& scale : scales_) scale = RoundedToF16(scale);
  }

  void StoreScales(float* scales) const {
    for (int plane = 0; plane < kPlanes; ++plane) hn::StoreU(scales_[plane], D(), scales + plane * kPanelRows);
  }

  // The nearest codes for the scales, stored unless null; what Solve needs of them; the squared errors.
  V Choose(int32_t* codes) {
    const D d;
    const DInts ints;
    FindPoints();
    for (V& sum : products_) sum = hn::Zero(d);
    for (V& sum : sums_) sum = hn::Zero(d);
    const VInts all = hn::Set(ints, (1 << kPlanes) - 1);
    V error = hn::Zero(d);
    for (int64_t k = 0; k < columns_; ++k) {
      const V value = hn::LoadU(d, values_ + k * kPanelRows);
      const V magnitude = hn::Abs(value);
      V distance = hn::Abs(hn::Sub(magnitude, points_[0]));
      VInts code = point_codes_[0];
      for (int i = 1; i < kPoints; ++i) {
        const V other = hn::Abs(hn::Sub(magnitude, points_[i]));
        code = hn::IfThenElse(hn::RebindMask(ints, hn::Lt(other, distance)), point_codes_[i], code);
        distance = hn::Min(other, distance);
      }
      code = hn::IfThenElse(hn::RebindMask(ints, hn::Lt(value, hn::Zero(d))), hn::Xor(code, all), code);
      const V importance = hn::Set(d, importance_[k]);
      error = hn::MulAdd(hn::Mul(distance, importance), distance, error);
      AddSigns(code, value, importance);
      if (codes != nullptr) hn::StoreU(code, ints, codes + k * kPanelRows);
    }
    return error;
  }

 private:
  // The values come in pairs of equal magnitude: half of them are enough.
  static constexpr int kPoints = 1 << (kPlanes - 1);

  void Keep(V error) {
    const M better = hn::Lt(error, best_error_);
    best_error_ = hn::IfThenElse(better, error, best_error_);
    for (int plane = 0; plane < kPlanes; ++plane) {
      best_[plane] = hn::IfThenElse(better, scales_[plane], best_[plane]);
    }
  }

  // What the planes before `plane` leave of column k.
  V Rest(int64_t k, int plane) const {
    const D d;
    V rest = hn::LoadU(d, values_ + k * kPanelRows);
    for (int before = 0; before < plane; ++before) rest = Less(rest, hn::Ge(rest, hn::Zero(d)), before);
    return rest;
  }
  V Less(V rest, M positive, int plane) const {
    return hn::IfThenElse(positive, hn::Sub(rest, scales_[plane]), hn::Add(rest, scales_[plane]));
  }

  void FindPoints() {
    const D d;
    const DInts ints;
    const VInts all = hn::Set(ints, (1 << kPlanes) - 1);
    for (int i = 0; i < kPoints; ++i) {
      V point = scales_[kPlanes - 1];
      for (int plane = 0; plane + 1 < kPlanes; ++plane) {
        point = (i >> plane) & 1 ? hn::Add(point, scales_[plane]) : hn::Sub(point, scales_[plane]);
      }
      const VInts code = hn::Set(ints, i | kPoints);
      point_codes_[i] = hn::IfThenElse(hn::RebindMask(ints, hn::Lt(point, hn::Zero(d))), hn::Xor(code, all), code);
      points_[i] = hn::Abs(point);
    }
  }

  HWY_INLINE void AddSigns(VInts code, V value, V importance) {
    const D d;
    const DInts ints;
    const VInts one = hn::BitCast(ints, hn::Set(d, 1.0f)), top = hn::Set(ints, INT32_MIN), cleared = hn::Not(code);
    V signs[kPlanes];
    for (int plane = 0; plane < kPlanes; ++plane) {
      signs[plane] = hn::BitCast(d, hn::Or(hn::And(hn::ShiftLeftSame(cleared, 31 - plane), top), one));
      const V weighted = hn::Mul(signs[plane], importance);
      sums_[plane] = hn::MulAdd(weighted, value, sums_[plane]);
      for (int other = 0; other < plane; ++other) {
        V& product = products_[plane * (plane - 1) / 2 + other];
        product = hn::MulAdd(weighted, signs[other], product);
      }
    }
  }

  // Makes the scales those of least squares for the codes that were chosen, by Gaussian elimination; rows where planes
  // depend on each other keep theirs and are left out of the mask.
  M Solve() {
    const D d;
    const V total = hn::Set(d, total_importance_), least = hn::Mul(total, hn::Set(d, kLeastPivot));
    V system[kPlanes][kPlanes + 1];
    for (int a = 0; a < kPlanes; ++a) {
      for (int b = 0; b < a; ++b) system[a][b] = system[b][a] = products_[a * (a - 1) / 2 + b];
      system[a][a] = total;
      system[a][kPlanes] = sums_[a];
    }
    M solved = hn::Eq(total, total);
    for (int k = 0; k < kPlanes; ++k) {
      solved = hn::And(solved, hn::Gt(system[k][k], least));
      for (int row = k + 1; row < kPlanes; ++row) {
        const V factor = hn::Div(system[row][k], system[k][k]);
        for (int column = k + 1; column <= kPlanes; ++column) {
          system[row][column] = hn::NegMulAdd(factor, system[k][column], system[row][column]);
        }
      }
    }
    for (int k = kPlanes - 1; k >= 0; --k) {
      V value = system[k][kPlanes];
      for (int column = k + 1; column < kPlanes; ++column) {
        value = hn::NegMulAdd(system[k][column], system[column][kPlanes], value);
      }
      system[k][kPlanes] = hn::Div(value, system[k][k]);
      scales_[k] = hn::IfThenElse(solved, system[k][kPlanes], scales_[k]);
    }
    return solved;
  }

  const float* const values_;
  const std::span<const float> importance_;
  const int64_t columns_;
  float total_importance_ = 0;
  V scales_[kPlanes];
  V best_[kPlanes] = {};
  V best_error_ = hn::Set(D(), hwy::HighestValue<float>());
  V points_[kPoints];
  VInts point_codes_[kPoints];
  // Of the signs of each two planes, and of each plane with the values.
  V products_[kPlanes * (kPlanes - 1) / 2 + 1];
  V sums_[kPlanes];
};

template <int kPlanes>
void FitPlanes(const float* values, std::span<const float> importance, int rounds, int32_t* codes, float* scales) {
  const int64_t lanes = hn::Lanes(D());
  for (int64_t row = 0; row < kPanelRows; row += lanes) {
    RowsFit<kPlanes> fit(values + row, importance);
    fit.Greedy();
    if (rounds == 0) fit.StoreGreedyCodes(codes + row);
    fit.RoundScales();
    if (rounds > 0) {
      fit.Alternate(rounds);
      fit.Even();
      fit.RoundScales();
      fit.Alternate(rounds);
      fit.TakeBest();
      fit.Choose(codes + row);
    }
    fit.StoreScales(scales + row);
  }
}

void FitBinary(const float* values, std::span<const float> importance, int planes, int rounds, int32_t* codes,
               float* scales) {
  using Fit = void (*)(const float*, std::span<const float>, int, int32_t*, float*);
  constexpr Fit kFits[kMostSignPlanes] = {FitPlanes<1>, FitPlanes<2>, FitPlanes<3>, FitPlanes<4>,
                                          FitPlanes<5>, FitPlanes<6>, FitPlanes<7>, FitPlanes<8>};
  kFits[planes - 1](values, importance, rounds, codes, scales);
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(FitBinary);

void FitBinaryPanel(const float* values, std::span<const float> importance, int planes, int rounds, int32_t* codes,
                    float* scales) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(FitBinary)(values, importance, planes, rounds, codes, scales);
}

}  // namespace tersor
#endif  // HWY_ONCE
