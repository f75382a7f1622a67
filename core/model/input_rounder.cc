#include "core/model/input_rounder.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/float_token_format.h"
#include "core/encoding/int_static_format.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/outlier_pair_format.h"
#include "core/encoding/shifted_format.h"
#include "core/kernels/input_rounding.h"

namespace tersor {
namespace {

PairGrid GridOf(const OutlierPairs& pairs) {
  return {pairs.largest_ordinary(), pairs.least_outlier(), pairs.largest_outlier(), pairs.mantissa_bits()};
}

std::optional<IntegerInputs> PlainIntegers(const ActivationFormat& format) {
  const int64_t width = format.width();
  if (const auto* token = dynamic_cast<const IntTokenFormat*>(&format)) {
    const IntTokenOptions& options = token->options();
    return IntegerInputs{.inputs = width,
                         .bits = options.bits,
                         .symmetric = options.symmetric,
                         .group_size = options.group_size == -1 ? width : options.group_size,
                         .outlier_threshold = options.outlier_threshold};
  }
  IntegerInputs inputs{.inputs = width, .bits = static_cast<int>(format.bits()), .group_size = width};
  if (const auto* fixed = dynamic_cast<const IntStaticFormat*>(&format); fixed != nullptr && fixed->clusters() == 1) {
    inputs.fixed = {fixed->grids()[0].scale, fixed->grids()[0].zero_point};
    return inputs;
  }
  const auto* pairs = dynamic_cast<const OutlierPairFormat*>(&format);
  // Outliers of 8 bits are no integers of 8 bits.
  if (pairs == nullptr || pairs->pairs().bits() != 4) return std::nullopt;
  inputs.fixed = {pairs->scale(), 0};
  inputs.pairs = GridOf(pairs->pairs());
  return inputs;
}

class IntegerRounder final : public InputRounder {
 public:
  explicit IntegerRounder(IntegerInputs inputs) : InputRounder(inputs.inputs), inputs_(std::move(inputs)) {}

 private:
  void RoundRow(const float* x, float* out) const override { RoundByIntegers(inputs_, x, out); }

  const IntegerInputs inputs_;
};

// RPTQ's: a grid for each input.
class GridRounder final : public InputRounder {
 public:
  explicit GridRounder(const IntStaticFormat& format)
      : InputRounder(format.width()), last_(static_cast<float>((1 << static_cast<int>(format.bits())) - 1)) {
    for (const StaticGrid& grid : format.grids()) {
      scales_.push_back(grid.scale);
      inverses_.push_back(grid.inverse());
      zero_points_.push_back(grid.zero_point);
    }
  }

 private:
  void RoundRow(const float* x, float* out) const override {
    RoundToGrids(x, width(), {scales_.data(), inverses_.data(), zero_points_.data(), last_}, out);
  }

  const float last_;
  std::vector<float> scales_, inverses_, zero_points_;
};

class PairRounder final : public InputRounder {
 public:
  explicit PairRounder(const OutlierPairFormat& format)
      : InputRounder(format.width()), grid_(GridOf(format.pairs())), scale_(format.scale()) {}

 private:
  void RoundRow(const float* x, float* out) const override {
    const float inverse = scale_ > 0 && std::isfinite(1 / scale_) ? 1 / scale_ : 0;
    RoundToPairs(x, width(), inverse, scale_, grid_, out);
  }

  const PairGrid grid_;
  const float scale_;
};

// Books that are floats of few bits.
std::optional<MinifloatGrid> MinifloatOf(const CodeBook& book) {
  if (&book == &E4m3Book()) return MinifloatGrid{3, -6, book.largest()};
  if (&book == &E5m2Book()) return MinifloatGrid{2, -14, book.largest()};
  if (&book == &E2m1Book()) return MinifloatGrid{1, 0, book.largest()};
  return std::nullopt;
}

class MinifloatRounder final : public InputRounder {
 public:
  MinifloatRounder(std::shared_ptr<const FloatTokenFormat> format, const MinifloatGrid& grid)
      : InputRounder(format->width()), format_(std::move(format)), grid_(grid) {}

 private:
  void RoundRow(const float* x, float* out) const override {
    const int64_t group = format_->options().group_size == -1 ? width() : format_->options().group_size;
    const float token_scale =
        format_->options().scales == ScaleForm::kE4m3 ? format_->TokenScale(LargestMagnitude(x, width())) : 0;
    for (int64_t first = 0; first < width(); first += group) {
      const float scale = format_->StoredScale(LargestMagnitude(x + first, group), token_scale), inverse = 1 / scale;
      if (scale > 0 && std::isfinite(inverse)) {
        RoundToMinifloat(x + first, group, inverse, scale, grid_, out + first);
      } else {
        std::fill_n(out + first, group, 0.0f);
      }
    }
  }

  const std::shared_ptr<const FloatTokenFormat> format_;
  const MinifloatGrid grid_;
};

// Of whatever has no kernel.
class PlainRounder final : public InputRounder {
 public:
  explicit PlainRounder(ActivationFormatPtr format) : InputRounder(format->width()), format_(std::move(format)) {}

 private:
  void RoundRow(const float* x, float* out) const override { format_->Round(x, 1, out); }

  const ActivationFormatPtr format_;
};

}  // namespace

std::optional<IntegerInputs> IntegerInputsOf(const ActivationFormat& format) {
  const auto* shifted = dynamic_cast<const ShiftedFormat*>(&format);
  std::optional<IntegerInputs> inputs = PlainIntegers(shifted == nullptr ? format : shifted->inner());
  if (inputs.has_value() && shifted != nullptr) inputs->shifts = shifted->shifts();
  return inputs;
}

std::string IntegerInputsName(const IntegerInputs& inputs) {
  return absl::StrCat("int", inputs.bits,
                      inputs.pairs.has_value()             ? " pairs"
                      : inputs.fixed.has_value()           ? " per layer"
                      : inputs.group_size == inputs.inputs ? " per token"
                                                           : " in groups",
                      inputs.shifts.empty() ? "" : ", shifted",
                      inputs.outlier_threshold > 0 ? ", outliers in float32" : "");
}

void InputRounder::Round(const float* x, int64_t x_stride, int64_t rows, float* out) const {
  for (int64_t row = 0; row < rows; ++row) RoundRow(x + row * x_stride, out + row * width_);
}

std::unique_ptr<const InputRounder> InputRounder::Create(ActivationFormatPtr format) {
  if (std::optional<IntegerInputs> inputs = IntegerInputsOf(*format)) {
    return std::make_unique<IntegerRounder>(*std::move(inputs));
  }
  if (const auto* grids = dynamic_cast<const IntStaticFormat*>(format.get())) {
    return std::make_unique<GridRounder>(*grids);
  }
  if (const auto* pairs = dynamic_cast<const OutlierPairFormat*>(format.get())) {
    return std::make_unique<PairRounder>(*pairs);
  }
  if (const auto floats = std::dynamic_pointer_cast<const FloatTokenFormat>(format)) {
    if (const auto grid = MinifloatOf(*floats->options().book))
      return std::make_unique<MinifloatRounder>(floats, *grid);
  }
  return std::make_unique<PlainRounder>(std::move(format));
}

}  // namespace tersor
