#include "core/kernels/row_term.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kernels/scratch.h"
#include "core/kernels/targets.h"
#include "core/tensor/float16.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/row_term.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, RowTerm::kTile>;
using V = hn::Vec<D>;

constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kParts = static_cast<int>(RowTerm::kTile) / kLanes;

HWY_INLINE V Halves(const uint16_t* bits) {
  const hn::Rebind<hwy::float16_t, D> half;
  return hn::PromoteTo(D(), hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(bits)));
}

// values [count][16] times x [count] goes to y [16].
void ColumnsTile(const uint16_t* values, int64_t count, const float* x, float* y) {
  const D d;
  V sums[kParts];
  for (int p = 0; p < kParts; ++p) sums[p] = hn::Zero(d);
  for (int64_t k = 0; k < count; ++k, values += RowTerm::kTile) {
    const V factor = hn::Set(d, x[k]);
    for (int p = 0; p < kParts; ++p) sums[p] = hn::MulAdd(Halves(values + p * kLanes), factor, sums[p]);
  }
  for (int p = 0; p < kParts; ++p) hn::StoreU(sums[p], d, y + p * kLanes);
}

// out[i] = values[i] * x[columns[i]]; all arrays may be read, and `out` written, up to a multiple of 16.
void SparseProducts(const uint16_t* columns, const uint16_t* values, int64_t count, const float* x, float* out) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<uint16_t, D> words;
  for (int64_t i = 0; i < count; i += kLanes) {
    const auto index = hn::PromoteTo(di, hn::LoadU(words, columns + i));
    hn::StoreU(hn::Mul(Halves(values + i), hn::GatherIndex(d, x, index)), d, out + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(ColumnsTile);
HWY_EXPORT(SparseProducts);

namespace {

constexpr int64_t kTile = RowTerm::kTile;

class ColumnTerm final : public RowTerm {
 public:
  ColumnTerm(int64_t outputs, int64_t inputs, std::span<const int64_t> columns, std::span<const uint16_t> values)
      : outputs_(outputs),
        inputs_(inputs),
        columns_(columns.begin(), columns.end()),
        values_((outputs + kTile - 1) / kTile * kTile * columns.size()) {
    const int64_t count = width();
    for (int64_t o = 0; o < outputs; ++o) {
      for (int64_t k = 0; k < count; ++k) {
        values_[(o / kTile * count + k) * kTile + o % kTile] = values[o * count + k];
      }
    }
  }

  int64_t outputs() const override { return outputs_; }
  int64_t inputs() const override { return inputs_; }

  void AddProduct(int64_t first, int64_t count, const float* x, float* y) const override {
    LimitTargets();
    ScratchBuffer factors(width());
    for (int64_t k = 0; k < width(); ++k) factors.data()[k] = x[columns_[k]];
    float products[kTile];
    for (int64_t tile = first; tile < first + count; ++tile) {
      HWY_DYNAMIC_DISPATCH(ColumnsTile)(values_.data() + tile * width() * kTile, width(), factors.data(), products);
      const int64_t present = std::min(kTile, outputs_ - tile * kTile);
      for (int64_t i = 0; i < present; ++i) y[tile * kTile + i] += products[i];
    }
  }

  void AddValues(int64_t tile, float* out, int64_t stride) const override {
    for (int64_t k = 0; k < width(); ++k) {
      const uint16_t* values = values_.data() + (tile * width() + k) * kTile;
      for (int64_t i = 0; i < kTile; ++i) out[columns_[k] * stride + i] += F16ToFloat(values[i]);
    }
  }

 private:
  int64_t width() const { return static_cast<int64_t>(columns_.size()); }

  int64_t outputs_;
  int64_t inputs_;
  std::vector<int64_t> columns_;
  // [tiles][width][16].
  std::vector<uint16_t> values_;
};

class SparseTerm final : public RowTerm {
 public:
  explicit SparseTerm(SparseRows rows) : rows_(std::move(rows)) {
    // Read in whole vectors.
    rows_.columns.resize(rows_.columns.size() + kTile);
    rows_.values.resize(rows_.values.size() + kTile);
  }

  int64_t outputs() const override { return rows_.outputs; }
  int64_t inputs() const override { return rows_.inputs; }

  void AddProduct(int64_t first, int64_t count, const float* x, float* y) const override {
    LimitTargets();
    const int64_t end = std::min((first + count) * kTile, rows_.outputs);
    int64_t entry = rows_.starts[first * kTile];
    const int64_t entries = rows_.starts[end] - entry;
    ScratchBuffer products(entries + kTile);
    HWY_DYNAMIC_DISPATCH(SparseProducts)
    (rows_.columns.data() + entry, rows_.values.data() + entry, entries, x, products.data());
    const float* product = products.data();
    for (int64_t o = first * kTile; o < end; ++o) {
      float sum = 0;
      for (; entry < rows_.starts[o + 1]; ++entry) sum += *product++;
      y[o] += sum;
    }
  }

  void AddValues(int64_t tile, float* out, int64_t stride) const override {
    const int64_t end = std::min((tile + 1) * kTile, rows_.outputs);
    for (int64_t o = tile * kTile; o < end; ++o) {
      for (int64_t entry = rows_.starts[o]; entry < rows_.starts[o + 1]; ++entry) {
        out[rows_.columns[entry] * stride + o % kTile] += F16ToFloat(rows_.values[entry]);
      }
    }
  }

 private:
  SparseRows rows_;
};

absl::Status Misfit(absl::string_view what, int64_t outputs, int64_t inputs) {
  return absl::InvalidArgumentError(absl::StrCat(what, " do not fit a matrix of ", outputs, " x ", inputs));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowTerm>> MakeColumnTerm(int64_t outputs, int64_t inputs,
                                                        std::span<const int64_t> columns,
                                                        std::span<const uint16_t> values) {
  const bool inside = std::all_of(columns.begin(), columns.end(), [&](int64_t k) { return k >= 0 && k < inputs; });
  if (outputs < 1 || inputs < 1 || columns.empty() || !inside ||
      values.size() / columns.size() != static_cast<size_t>(outputs) || values.size() % columns.size() != 0) {
    return Misfit("float columns", outputs, inputs);
  }
  return std::unique_ptr<RowTerm>(std::make_unique<ColumnTerm>(outputs, inputs, columns, values));
}

absl::StatusOr<std::unique_ptr<RowTerm>> MakeSparseTerm(SparseRows rows) {
  const bool fits = rows.outputs >= 1 && rows.inputs >= 1 && rows.inputs <= SparseRows::kMostInputs &&
                    rows.starts.size() == static_cast<size_t>(rows.outputs) + 1 && rows.starts.front() == 0 &&
                    std::is_sorted(rows.starts.begin(), rows.starts.end()) &&
                    rows.starts.back() == rows.columns.size() && rows.columns.size() == rows.values.size() &&
                    std::all_of(rows.columns.begin(), rows.columns.end(), [&](int64_t k) { return k < rows.inputs; });
  if (!fits) return Misfit("sparse values", rows.outputs, rows.inputs);
  return std::unique_ptr<RowTerm>(std::make_unique<SparseTerm>(std::move(rows)));
}

}  // namespace tersor
#endif  // HWY_ONCE
