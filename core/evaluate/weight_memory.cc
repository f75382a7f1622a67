#include "core/evaluate/weight_memory.h"

#include <algorithm>

#include "core/model/linear.h"

namespace tersor {
namespace {

// As many rows as any kernel puts into one panel.
constexpr int64_t kProbedRows = 16;
constexpr int64_t kFloatBytes = 4;

bool IsTable(absl::string_view name) { return name == kEmbeddingName || name == kPositionsName; }

absl::StatusOr<int64_t> MatrixMemory(const EncodedTensor& weight, const ComputeOptions& options) {
  const int64_t rows = std::min(kProbedRows, weight.shape()[0]);
  TERSOR_ASSIGN_OR_RETURN(const Linear linear, Linear::Create({&weight, 0, rows}, {}, options));
  if (linear.code_copies() > 0) return linear.code_copies() * static_cast<int64_t>(weight.byte_size());
  return weight.elements() * (options.precision == Precision::kBF16 ? 2 : kFloatBytes);
}

}  // namespace

absl::StatusOr<int64_t> WeightMemory(const Model& model, const ComputeOptions& options) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : model.parameters) {
    if (tensor->shape().size() != 2) {
      bytes += kFloatBytes * tensor->elements();
    } else if (IsTable(name)) {
      bytes += static_cast<int64_t>(tensor->byte_size());
    } else {
      TERSOR_ASSIGN_OR_RETURN(const int64_t matrix, MatrixMemory(*tensor, options));
      bytes += matrix;
    }
  }
  if (!model.spec.tied) return bytes;
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr head, model.Head());
  TERSOR_ASSIGN_OR_RETURN(const int64_t matrix, MatrixMemory(*head, options));
  return bytes + matrix;
}

int64_t TableMemory(const Model& model) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : model.parameters) {
    if (IsTable(name)) bytes += static_cast<int64_t>(tensor->byte_size());
  }
  return bytes;
}

absl::Status AddMemory(const Model& dense, const Model& compressed, const ComputeOptions& options,
                       v1::SizeResult& result) {
  ComputeOptions decoded = options;
  decoded.linears = LinearCompute::kDecoded;
  TERSOR_ASSIGN_OR_RETURN(const int64_t dense_bytes, WeightMemory(dense, decoded));
  TERSOR_ASSIGN_OR_RETURN(const int64_t bytes, WeightMemory(compressed, options));
  result.set_dense_parameters(dense.ParameterCount());
  result.set_parameters(compressed.ParameterCount());
  result.set_dense_memory_bytes(dense_bytes);
  result.set_memory_bytes(bytes);
  return absl::OkStatus();
}

}  // namespace tersor
