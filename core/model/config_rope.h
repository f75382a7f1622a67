// What a config.json says about positions. Private to core/model.
#ifndef TERSOR_CORE_MODEL_CONFIG_ROPE_H_
#define TERSOR_CORE_MODEL_CONFIG_ROPE_H_

#include "core/base/status.h"
#include "core/formats/json_fields.h"
#include "core/model/architecture.h"
#include "core/model/model_spec.h"

namespace tersor {

// The rotary embedding of layers with (`sliding`) or without a window. Errors name the key.
absl::StatusOr<RopeSpec> ReadRope(const JsonFields& config, const Architecture& architecture, int head_size,
                                  bool sliding);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_CONFIG_ROPE_H_
