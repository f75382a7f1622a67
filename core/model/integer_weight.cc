#include "core/model/integer_weight.h"

#include "absl/strings/str_cat.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/outlier_pair_tensor.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

// Codes of up to 7 bits take their zero points in; of 8 bits these need a place of their own, less 128 like the codes.
void ReadGroupInt(const GroupIntTensor& tensor, const WeightRows& rows, IntegerWeight& weight) {
  const int64_t groups = tensor.groups();
  const bool apart = tensor.bits() == 8 && !tensor.symmetric();
  std::vector<uint8_t> codes(weight.inputs), zero_points(groups);
  for (int64_t o = 0; o < weight.outputs; ++o) {
    tensor.CodesOfRow(rows.first + o, codes.data());
    tensor.ZeroPointsOfRow(rows.first + o, zero_points.data());
    for (int64_t i = 0; i < weight.inputs; ++i) {
      weight.codes.push_back(static_cast<int8_t>(codes[i] - (apart ? 128 : zero_points[i / weight.group_size])));
    }
    for (int64_t group = 0; group < groups; ++group) {
      weight.scales.push_back(tensor.Scale(rows.first + o, group));
      if (apart) weight.zero_points.push_back(static_cast<int8_t>(zero_points[group] - 128));
    }
  }
}

void ReadPairs(const OutlierPairTensor& tensor, const WeightRows& rows, IntegerWeight& weight) {
  std::vector<float> units(weight.inputs);
  for (int64_t o = 0; o < weight.outputs; ++o) {
    tensor.UnitsOfRow(rows.first + o, units.data());
    for (const float unit : units) weight.codes.push_back(static_cast<int8_t>(unit));
    for (int64_t group = 0; group < weight.inputs / weight.group_size; ++group) {
      weight.scales.push_back(F16ToFloat(tensor.ScaleBits(rows.first + o, group)));
    }
  }
}

}  // namespace

absl::StatusOr<IntegerWeight> ReadIntegerWeight(const WeightRows& rows) {
  IntegerWeight weight{.outputs = rows.outputs, .inputs = rows.weight->columns()};
  weight.codes.reserve(rows.outputs * weight.inputs);
  if (const auto* integers = dynamic_cast<const GroupIntTensor*>(rows.weight)) {
    weight.group_size = integers->group_size();
    ReadGroupInt(*integers, rows, weight);
    return weight;
  }
  const auto* pairs = dynamic_cast<const OutlierPairTensor*>(rows.weight);
  if (pairs == nullptr || pairs->bits() != 4) {
    return absl::InvalidArgumentError(absl::StrCat(rows.weight->encoding(), " holds no integers of 8 bits"));
  }
  weight.group_size = pairs->group_size();
  ReadPairs(*pairs, rows, weight);
  return weight;
}

}  // namespace tersor
