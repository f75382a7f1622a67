// The one list of families of compression methods.
#ifndef TERSOR_CORE_COMPRESS_METHOD_REGISTRY_H_
#define TERSOR_CORE_COMPRESS_METHOD_REGISTRY_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/method.h"
#include "core/compress/prune/prune_registry.h"
#include "core/compress/quantize/quantize_registry.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// The method that `stage` names, configured. `field`: path of the stage ("stages[0]"). Null where no family or no
// method is named, which is a violation that lists the known ones; other faults are appended too.
std::unique_ptr<const Method> MakeMethod(const v1::Stage& stage, const std::string& field,
                                         std::vector<FieldViolation>& violations);

// The stage's layers that are left as they are, as its family's message has them; none of an empty stage.
const google::protobuf::RepeatedPtrField<std::string>& SkippedLayers(const v1::Stage& stage);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_METHOD_REGISTRY_H_
