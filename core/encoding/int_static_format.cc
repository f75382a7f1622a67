#include "core/encoding/int_static_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr int64_t kMostClusters = 65536;

template <typename T>
T At(const Tensor& tensor, int64_t index) {
  T value;
  std::memcpy(&value, tensor.bytes().data() + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

}  // namespace

float StaticGrid::inverse() const {
  const float inverse = 1 / scale;
  return scale > 0 && std::isfinite(inverse) ? inverse : 0;
}

StaticGrid SpanStaticGrid(float low, float high, int bits, bool symmetric) {
  const float last = static_cast<float>((1 << bits) - 1);
  low = std::min(low, 0.0f);
  high = std::max(high, 0.0f);
  if (symmetric) {
    const float middle = static_cast<float>(1 << (bits - 1));
    return {std::max(high, -low) / (middle - 1), static_cast<uint8_t>(middle)};
  }
  const float scale = (high - low) / last;
  if (!(scale > 0)) return {};
  return {scale, static_cast<uint8_t>(std::clamp(std::nearbyint(-low / scale), 0.0f, last))};
}

absl::StatusOr<ActivationFormatPtr> IntStaticFormat::Create(int64_t width, int bits,
                                                            const std::vector<StaticGrid>& grids,
                                                            std::vector<uint16_t> cluster_of) {
  std::vector<float> scales;
  std::vector<uint8_t> zero_points;
  for (const StaticGrid& grid : grids) {
    scales.push_back(grid.scale);
    zero_points.push_back(grid.zero_point);
  }
  const int64_t clusters = static_cast<int64_t>(grids.size());
  std::vector<EncodedField> fields(2);
  fields[0].name = "scales";
  fields[1].name = "zero_points";
  TERSOR_ASSIGN_OR_RETURN(fields[0].tensor, Tensor::Own(DType::kF32, {clusters}, std::move(scales)));
  TERSOR_ASSIGN_OR_RETURN(fields[1].tensor, Tensor::Own(DType::kU8, {clusters}, std::move(zero_points)));
  if (clusters > 1) {
    const int64_t inputs = static_cast<int64_t>(cluster_of.size());
    TERSOR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Own(DType::kU16, {inputs}, std::move(cluster_of)));
    fields.push_back({"clusters", std::move(tensor)});
  }
  return Rebuild(width, fields, {{"bits", bits}, {"clusters", clusters}});
}

absl::StatusOr<ActivationFormatPtr> IntStaticFormat::Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                             const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, IntegerParameter(parameters, "bits"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t clusters, IntegerParameter(parameters, "clusters"));
  if (bits < 2 || bits > 8 || clusters < 1 || clusters > std::min(width, kMostClusters)) {
    return absl::InvalidArgumentError(
        absl::StrCat(bits, " bits in ", clusters, " clusters of ", width, " inputs; 2 to 8 bits are expected"));
  }
  std::vector<EncodedField> taken;
  const auto take = [&](absl::string_view name, DType dtype, const Shape& shape) -> absl::Status {
    TERSOR_ASSIGN_OR_RETURN(Tensor tensor, TakeField(fields, name, dtype, shape));
    taken.push_back({std::string(name), std::move(tensor)});
    return absl::OkStatus();
  };
  TERSOR_RETURN_IF_ERROR(take("scales", DType::kF32, {clusters}));
  TERSOR_RETURN_IF_ERROR(take("zero_points", DType::kU8, {clusters}));
  TERSOR_RETURN_IF_ERROR(CheckFinite("scales", taken[0].tensor));
  if (clusters > 1) TERSOR_RETURN_IF_ERROR(take("clusters", DType::kU16, {width}));
  TERSOR_RETURN_IF_ERROR(
      CheckFieldNames(fields, clusters > 1 ? std::vector<absl::string_view>{"scales", "zero_points", "clusters"}
                                           : std::vector<absl::string_view>{"scales", "zero_points"}));
  for (int64_t i = 0; i < clusters; ++i) {
    if (At<uint8_t>(taken[1].tensor, i) >> bits != 0 || At<float>(taken[0].tensor, i) < 0) {
      return absl::InvalidArgumentError(absl::StrCat("the grid of cluster ", i, " does not fit ", bits, " bits"));
    }
  }
  for (int64_t i = 0; clusters > 1 && i < width; ++i) {
    if (At<uint16_t>(taken[2].tensor, i) < clusters) continue;
    return absl::InvalidArgumentError(absl::StrCat("input ", i, " belongs to a cluster that is not there"));
  }
  return ActivationFormatPtr(new IntStaticFormat(width, static_cast<int>(bits), std::move(taken)));
}

IntStaticFormat::IntStaticFormat(int64_t width, int bits, std::vector<EncodedField> fields)
    : width_(width), bits_(bits), fields_(std::move(fields)) {
  for (int64_t i = 0; i < width; ++i) {
    const int64_t cluster = fields_.size() > 2 ? At<uint16_t>(fields_[2].tensor, i) : 0;
    grids_.push_back({At<float>(fields_[0].tensor, cluster), At<uint8_t>(fields_[1].tensor, cluster)});
  }
}

uint64_t IntStaticFormat::ByteSize(int64_t width, int64_t clusters) {
  return static_cast<uint64_t>(5 * clusters + (clusters > 1 ? 2 * width : 0));
}

void IntStaticFormat::Round(const float* x, int64_t rows, float* out) const {
  const float last = static_cast<float>((1 << bits_) - 1);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < width_; ++i) {
      const float zero_point = grids_[i].zero_point;
      const float steps = std::nearbyint(x[row * width_ + i] * grids_[i].inverse());
      out[row * width_ + i] = (std::clamp(steps + zero_point, 0.0f, last) - zero_point) * grids_[i].scale;
    }
  }
}

nlohmann::json IntStaticFormat::Parameters() const { return {{"bits", bits_}, {"clusters", clusters()}}; }

}  // namespace tersor
