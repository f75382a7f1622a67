#include "core/model/bit_plane_linear.h"
#include "core/model/float_linear.h"
#include "core/model/int8_linear.h"
#include "core/model/linear_kernel.h"
#include "core/model/low_bit_codes.h"
#include "core/model/rounded_input_linear.h"
#include "core/model/sparse_linear.h"
#include "core/model/sum_linear.h"

namespace tersor {
namespace {

// The one list of kernels, in order of preference.
constexpr LinearKernelKind kKinds[] = {
    {Int8LinearFits, MakeInt8Linear},         {RoundedInputLinearFits, MakeRoundedInputLinear},
    {LowBitCodesFit, MakeLowBitLinear},       {SumLinearFits, MakeSumLinear},
    {BitPlaneLinearFits, MakeBitPlaneLinear}, {SparseLinearFits, MakeSparseLinear},
    {FloatLinearFits, MakeFloatLinear},
};

}  // namespace

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeLinearKernel(const WeightRows& rows, const ComputeOptions& options) {
  for (const LinearKernelKind& kind : kKinds) {
    if (kind.fits(rows, options)) return kind.make(rows, options);
  }
  return absl::InternalError("no kernel computes this weight");
}

}  // namespace tersor
