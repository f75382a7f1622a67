// How many bytes a model takes, against the dense model at 16 bits per parameter.
#ifndef TERSOR_CORE_EVALUATE_SIZE_H_
#define TERSOR_CORE_EVALUATE_SIZE_H_

#include <cstdint>
#include <span>
#include <string>

#include "core/base/status.h"
#include "core/model/model.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// `artifact_bytes`: Tersor's container as written. `compressed_layers`: module names ("model.layers.0.mlp.down_proj")
// whose bits per weight are true_bits; empty means every matrix of the blocks. NOT_FOUND names a layer that is not
// there.
absl::StatusOr<v1::SizeResult> MeasureSize(const Model& dense, const Model& compressed, int64_t artifact_bytes,
                                           std::span<const std::string> compressed_layers);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_SIZE_H_
