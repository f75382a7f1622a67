// The one list of methods that leave weights out.
#ifndef TERSOR_CORE_COMPRESS_PRUNE_PRUNE_REGISTRY_H_
#define TERSOR_CORE_COMPRESS_PRUNE_PRUNE_REGISTRY_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/method.h"
#include "core/compress/method_description.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// As MakeMethod of method_registry.h. `field`: path of the family's message ("stages[0].prune").
std::unique_ptr<const Method> MakeMethod(const v1::PruneStage& stage, const std::string& field,
                                         std::vector<FieldViolation>& violations);

// With the options that all of them share.
std::vector<MethodDescription> PruneMethods();

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_PRUNE_REGISTRY_H_
