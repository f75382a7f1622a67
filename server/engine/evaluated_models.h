// The models beside the recipe's own that its evaluation names: the original and the baseline.
#ifndef TERSOR_SERVER_ENGINE_EVALUATED_MODELS_H_
#define TERSOR_SERVER_ENGINE_EVALUATED_MODELS_H_

#include <vector>

#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "server/engine/model_catalog.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// Puts paths in place of `evaluate.original` and `evaluate.baseline_model`, registered names included. A model that is
// not found or may not be read is a violation of its field, and is taken out of the recipe; an error status is a fault
// of the server.
absl::Status ResolveEvaluatedModels(ModelCatalog& catalog, v1::Recipe& recipe, std::vector<FieldViolation>& violations);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_EVALUATED_MODELS_H_
