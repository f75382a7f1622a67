#include "core/model/low_bit_codes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/model/encoded_linear.h"

namespace tersor {
namespace {

struct CodesKind {
  bool (*fit)(const WeightRows& rows, const ComputeOptions& options);
  absl::StatusOr<LowBitCodes> (*pack)(const WeightRows& rows, const ComputeOptions& options);
};

// The one list of encodings.
constexpr CodesKind kKinds[] = {
    {GroupIntCodesFit, PackGroupIntCodes}, {BilevelCodesFit, PackBilevelCodes}, {BookCodesFit, PackBookCodes}};

const CodesKind* FindKind(const WeightRows& rows, const ComputeOptions& options) {
  if (options.linears == LinearCompute::kDecoded) return nullptr;
  const auto kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const CodesKind& k) { return k.fit(rows, options); });
  return kind == std::end(kKinds) ? nullptr : kind;
}

}  // namespace

bool LowBitCodesFit(const WeightRows& rows, const ComputeOptions& options) {
  return FindKind(rows, options) != nullptr;
}

absl::StatusOr<LowBitCodes> PackLowBitCodes(const WeightRows& rows, const ComputeOptions& options) {
  const CodesKind* kind = FindKind(rows, options);
  if (kind == nullptr) return absl::InternalError("no kernel multiplies these codes");
  return kind->pack(rows, options);
}

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeLowBitLinear(const WeightRows& rows, const ComputeOptions& options) {
  TERSOR_ASSIGN_OR_RETURN(LowBitCodes codes, PackLowBitCodes(rows, options));
  return std::unique_ptr<LinearKernel>(
      std::make_unique<EncodedLinear<LowBitMatrix>>(std::move(codes.matrix), std::move(codes.name), options));
}

}  // namespace tersor
