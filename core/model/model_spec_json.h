// ModelSpec as JSON, for the container's manifest: every field, both ways.
#ifndef TERSOR_CORE_MODEL_MODEL_SPEC_JSON_H_
#define TERSOR_CORE_MODEL_MODEL_SPEC_JSON_H_

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/model/model_spec.h"
#include "nlohmann/json.hpp"

namespace tersor {

nlohmann::json SpecToJson(const ModelSpec& spec);

// INVALID_ARGUMENT starts with `where` and names the field that is missing, of the wrong type or out of range.
absl::StatusOr<ModelSpec> SpecFromJson(const nlohmann::json& json, absl::string_view where);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_MODEL_SPEC_JSON_H_
