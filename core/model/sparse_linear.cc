#include "core/model/sparse_linear.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/encoding/masked_int_tensor.h"
#include "core/encoding/masked_tensor.h"
#include "core/kernels/sparse_matrix.h"
#include "core/model/encoded_linear.h"

namespace tersor {
namespace {

// nullopt where the weight is no such matrix.
std::optional<SparseShape> ShapeOf(const WeightRows& rows) {
  SparseShape shape = {.outputs = rows.outputs, .inputs = rows.weight->columns()};
  if (const auto* floats = dynamic_cast<const MaskedTensor*>(rows.weight)) {
    const DType dtype = floats->values().dtype();
    shape.values = dtype == DType::kF32   ? SparseValues::kF32
                   : dtype == DType::kF16 ? SparseValues::kF16
                                          : SparseValues::kBF16;
    return shape;
  }
  const auto* codes = dynamic_cast<const MaskedIntTensor*>(rows.weight);
  if (codes == nullptr) return std::nullopt;
  shape.values = SparseValues::kCodes;
  shape.group_size = codes->group_size();
  return shape;
}

// "61% of float16", "50% of int4".
std::string NameOf(const WeightRows& rows, const SparseShape& shape) {
  const double share = static_cast<double>(rows.weight->mask()->count()) / static_cast<double>(rows.weight->elements());
  std::string kind;
  switch (shape.values) {
    case SparseValues::kF32:
      kind = "float32";
      break;
    case SparseValues::kF16:
      kind = "float16";
      break;
    case SparseValues::kBF16:
      kind = "bf16";
      break;
    case SparseValues::kCodes:
      kind = absl::StrCat("int", dynamic_cast<const MaskedIntTensor&>(*rows.weight).bits());
      break;
  }
  return absl::StrFormat("%.0f%% of %s x float32", 100 * share, kind);
}

void ReadRow(const WeightRows& rows, const SparseShape& shape, int64_t output, SparseRow& row) {
  const int64_t at = rows.first + output;
  const SparseMask& mask = *rows.weight->mask();
  mask.KeptOfRow(at, row.kept.data());
  const int64_t start = mask.RowStart(at), count = mask.RowStart(at + 1) - start;
  if (shape.values == SparseValues::kCodes) {
    const auto& weight = dynamic_cast<const MaskedIntTensor&>(*rows.weight);
    row.codes.resize(count);
    weight.CodesOfRow(at, row.codes.data());
    weight.GridsOfRow(at, row.scales.data(), row.zero_points.data());
    return;
  }
  row.values.resize(count);
  // Cannot fail: the mask counts the values.
  DecodeToFloat(dynamic_cast<const MaskedTensor&>(*rows.weight).values(), start, count, row.values.data())
      .IgnoreError();
}

}  // namespace

bool SparseLinearFits(const WeightRows& rows, const ComputeOptions& options) {
  if (options.linears == LinearCompute::kDecoded) return false;
  const std::optional<SparseShape> shape = ShapeOf(rows);
  return shape.has_value() && SparseMatrix::Supports(*shape);
}

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeSparseLinear(const WeightRows& rows, const ComputeOptions& options) {
  const std::optional<SparseShape> shape = ShapeOf(rows);
  if (!shape.has_value()) return absl::InternalError("the weight has no mask");
  TERSOR_ASSIGN_OR_RETURN(SparseMatrix matrix,
                          SparseMatrix::Pack(*shape, options.threads, [&](int64_t output, SparseRow& row) {
                            ReadRow(rows, *shape, output, row);
                          }));
  return std::unique_ptr<LinearKernel>(
      std::make_unique<EncodedLinear<SparseMatrix>>(std::move(matrix), NameOf(rows, *shape), options));
}

}  // namespace tersor
