// A pruned layer's weights that were left out stay out, whatever a later stage makes of the others.
#ifndef TERSOR_CORE_COMPRESS_KEEP_MASK_H_
#define TERSOR_CORE_COMPRESS_KEEP_MASK_H_

#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/block.h"

namespace tersor {

// `after` is what a stage made of `before`. Where that has a mask: codes of weights that were left out are no longer
// stored (masked-int), and INTERNAL names a weight that has become other than zero.
absl::StatusOr<EncodedTensorPtr> KeepMask(const EncodedTensor& before, EncodedTensorPtr after);

// The same of encodings that are planned.
PlannedEncoding PlanKeptMask(const LinearLayer& layer, const PlannedEncoding& before, PlannedEncoding after);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_KEEP_MASK_H_
