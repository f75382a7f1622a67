#include "core/model/compute_options.h"

#include "absl/strings/str_cat.h"
#include "core/kernels/cpu_info.h"

namespace tersor {

absl::StatusOr<LinearCompute> ParseLinearCompute(absl::string_view name) {
  if (name == "decoded") return LinearCompute::kDecoded;
  if (name == "float32") return LinearCompute::kEncodedFloat32;
  if (name == "int8") return LinearCompute::kEncodedInt8;
  return absl::InvalidArgumentError(absl::StrCat("unknown activations \"", name, "\"; known: int8, float32, decoded"));
}

ComputeOptions ForManyRows(ComputeOptions options) {
  options.precision = ForManyRows(options.precision);
  return options;
}

ComputeOptions ForCalibration(ComputeOptions options) {
  options.precision = ForCalibration(options.precision);
  return options;
}

}  // namespace tersor
