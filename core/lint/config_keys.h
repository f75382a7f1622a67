// Keys of a quantization_config that readers do not know. Private to core/lint.
#ifndef TERSOR_CORE_LINT_CONFIG_KEYS_H_
#define TERSOR_CORE_LINT_CONFIG_KEYS_H_

#include "core/lint/findings.h"
#include "nlohmann/json.hpp"

namespace tersor {

// compressed-tensors refuses a group or weights with an unknown key; the others pass over it.
void CheckConfigKeys(const nlohmann::json& quantization_config, Findings& findings);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_CONFIG_KEYS_H_
