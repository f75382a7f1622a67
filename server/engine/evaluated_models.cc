#include "server/engine/evaluated_models.h"

#include <filesystem>
#include <string>

namespace tersor {
namespace {

absl::Status Resolve(ModelCatalog& catalog, const char* field, std::string& model,
                     std::vector<FieldViolation>& violations) {
  const absl::StatusOr<std::filesystem::path> path = catalog.Resolve(model);
  if (absl::IsInvalidArgument(path.status())) {
    violations.push_back({field, std::string(path.status().message())});
    model.clear();
    return absl::OkStatus();
  }
  TERSOR_RETURN_IF_ERROR(path.status());
  model = path->string();
  return absl::OkStatus();
}

}  // namespace

absl::Status ResolveEvaluatedModels(ModelCatalog& catalog, v1::Recipe& recipe,
                                    std::vector<FieldViolation>& violations) {
  if (!recipe.evaluate().original().empty()) {
    TERSOR_RETURN_IF_ERROR(
        Resolve(catalog, "evaluate.original", *recipe.mutable_evaluate()->mutable_original(), violations));
  }
  if (!recipe.evaluate().baseline_model().empty()) {
    TERSOR_RETURN_IF_ERROR(
        Resolve(catalog, "evaluate.baseline_model", *recipe.mutable_evaluate()->mutable_baseline_model(), violations));
  }
  return absl::OkStatus();
}

}  // namespace tersor
