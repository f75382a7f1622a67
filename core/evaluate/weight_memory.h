// What a model's weights take in memory while it generates.
#ifndef TERSOR_CORE_EVALUATE_WEIGHT_MEMORY_H_
#define TERSOR_CORE_EVALUATE_WEIGHT_MEMORY_H_

#include <cstdint>

#include "core/base/status.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Bytes: matrices that have a kernel for their encoding as they are stored, others decoded to floats (or bf16), tables
// that are looked up as they are stored, vectors in floats. A tied head is counted beside its table where it is kept
// in another form. Without the padding of panels. Packs a few rows a matrix to see which kernel takes it.
absl::StatusOr<int64_t> WeightMemory(const Model& model, const ComputeOptions& options);

// Of these, tables that are looked up where they lie, which is in the model's file.
int64_t TableMemory(const Model& model);

// Sets the result's figures of memory and of parameters; `options`: how the compressed model is computed. The dense one
// is decoded.
absl::Status AddMemory(const Model& dense, const Model& compressed, const ComputeOptions& options,
                       v1::SizeResult& result);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_WEIGHT_MEMORY_H_
