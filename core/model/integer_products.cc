#include "core/model/integer_products.h"

#include <optional>
#include <string>

#include "core/encoding/activation_format.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/int_static_format.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/outlier_pair_format.h"
#include "core/encoding/outlier_pair_tensor.h"
#include "core/encoding/shifted_format.h"
#include "core/kernels/int8_matrix.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// Of inputs that are integers.
struct InputShape {
  int64_t group_size = 0;
  bool outliers = false;
};

std::optional<InputShape> ShapeOf(const std::string& format, const nlohmann::json& parameters, int64_t columns) {
  if (!parameters.is_object()) return std::nullopt;
  if (format == IntTokenFormat::kName) {
    const int64_t group = parameters.value("group_size", int64_t{-1});
    return InputShape{group == -1 ? columns : group, parameters.value("outlier_threshold", 0.0) > 0};
  }
  // Several grids are no integers of one scale; 8-bit outliers none of 8 bits.
  if ((format == IntStaticFormat::kName && parameters.value("clusters", 0) == 1) ||
      (format == OutlierPairFormat::kName && parameters.value("bits", 0) == 4)) {
    return InputShape{columns, false};
  }
  const nlohmann::json inner = parameters.value("inner", nlohmann::json());
  if (format != ShiftedFormat::kName || !inner.is_object()) return std::nullopt;
  return ShapeOf(inner.value("format", ""), inner.value("parameters", nlohmann::json()), columns);
}

}  // namespace

IntegerProducts PlannedProducts(const PlannedEncoding& planned, int64_t columns) {
  const bool pairs = planned.encoding == OutlierPairTensor::kName;
  if (planned.encoding != GroupIntTensor::kName && !(pairs && planned.bits == 4)) return IntegerProducts::kNone;
  const auto parameters = nlohmann::json::parse(planned.input_parameters, nullptr, /*allow_exceptions=*/false);
  const std::optional<InputShape> inputs = ShapeOf(planned.input_format, parameters, columns);
  const int64_t group = planned.group_size > 0 ? planned.group_size : columns;
  const bool zero_points = planned.bits == 8 && !planned.symmetric;
  if (!inputs.has_value() || !Int8Matrix::Supports(columns, group, zero_points, inputs->group_size)) {
    return IntegerProducts::kNone;
  }
  const bool plain = group == columns && inputs->group_size == columns && !zero_points && !inputs->outliers;
  return plain ? IntegerProducts::kLibrary : IntegerProducts::kOwn;
}

IntegerProducts StoredProducts(const EncodedTensor& weight) {
  if (weight.input_format() == nullptr) return IntegerProducts::kNone;
  const EncodedTensor& codes = weight.weight();
  PlannedEncoding stored{.encoding = std::string(codes.encoding()),
                         .input_format = std::string(weight.input_format()->name()),
                         .input_parameters = weight.input_format()->Parameters().dump()};
  // What passes for these encodings in another order of rows has no codes to read.
  if (const auto* integers = dynamic_cast<const GroupIntTensor*>(&codes)) {
    stored.bits = integers->bits();
    stored.group_size = integers->group_size();
    stored.symmetric = integers->symmetric();
  } else if (const auto* pairs = dynamic_cast<const OutlierPairTensor*>(&codes)) {
    stored.bits = pairs->bits();
    stored.group_size = pairs->group_size();
  } else {
    return IntegerProducts::kNone;
  }
  return PlannedProducts(stored, codes.columns());
}

}  // namespace tersor
