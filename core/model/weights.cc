#include "core/model/weights.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"

namespace tersor {

absl::Status CheckShape(absl::string_view name, const EncodedTensor& tensor, int64_t rows, int64_t columns) {
  if (tensor.rows() == rows && tensor.columns() == columns) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("parameter ", name, " has shape ", ShapeString(tensor.shape()),
                                                 ", the model's configuration asks for ",
                                                 ShapeString(rows == 1 ? Shape{columns} : Shape{rows, columns})));
}

absl::StatusOr<std::vector<float>> LoadVector(const Model& model, absl::string_view name, int64_t size) {
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr tensor, model.Find(name));
  TERSOR_RETURN_IF_ERROR(CheckShape(name, *tensor, 1, size));
  return tensor->Decode();
}

absl::StatusOr<PackedMatrix> PackRows(const EncodedTensor& weight, int64_t first, int64_t outputs,
                                      const ComputeOptions& options) {
  constexpr int64_t kRowsATask = 64;
  const int64_t inputs = weight.columns();
  ScratchBuffer rows(outputs * inputs);
  TERSOR_RETURN_IF_ERROR(ParallelFor(options.threads, (outputs + kRowsATask - 1) / kRowsATask, [&](int64_t task) {
    const int64_t begin = task * kRowsATask;
    weight.DecodeRows(first + begin, std::min(kRowsATask, outputs - begin), rows.data() + begin * inputs);
    return absl::OkStatus();
  }));
  return PackedMatrix::Pack(rows.span(), outputs, inputs, options.precision);
}

}  // namespace tersor
