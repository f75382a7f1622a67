// Parameters of a model, decoded and ready for the kernels. Private to core/model.
#ifndef TERSOR_CORE_MODEL_WEIGHTS_H_
#define TERSOR_CORE_MODEL_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/kernels/packed_matrix.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

// INVALID_ARGUMENT, naming the parameter, where its shape is not `rows` x `columns` (a vector has one row).
absl::Status CheckShape(absl::string_view name, const EncodedTensor& tensor, int64_t rows, int64_t columns);

// A vector parameter, decoded.
absl::StatusOr<std::vector<float>> LoadVector(const Model& model, absl::string_view name, int64_t size);

// Rows [first, first + outputs) of `weight`, decoded on `options.threads` threads and packed.
absl::StatusOr<PackedMatrix> PackRows(const EncodedTensor& weight, int64_t first, int64_t outputs,
                                      const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_WEIGHTS_H_
