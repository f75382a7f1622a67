// Whether a model's shapes make sense, before anything is computed or allocated from them.
#ifndef TERSOR_CORE_MODEL_SPEC_CHECK_H_
#define TERSOR_CORE_MODEL_SPEC_CHECK_H_

#include "core/base/status.h"
#include "core/model/model_spec.h"

namespace tersor {

// Most layers a model may have.
inline constexpr int64_t kMaxLayers = 4096;

// INVALID_ARGUMENT says which figure is out of range or contradicts which other one.
absl::Status CheckSpec(const ModelSpec& spec);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_SPEC_CHECK_H_
