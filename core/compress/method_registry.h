// The one list of compression methods.
#ifndef TERSOR_CORE_COMPRESS_METHOD_REGISTRY_H_
#define TERSOR_CORE_COMPRESS_METHOD_REGISTRY_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/method.h"
#include "core/compress/method_description.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// The method that `stage` names, configured. `field`: path of the stage ("stages[0].quantize"). Null where no method is
// named, which is a violation that lists the known ones; other faults are appended too.
std::unique_ptr<const Method> MakeMethod(const v1::QuantizeStage& stage, const std::string& field,
                                         std::vector<FieldViolation>& violations);

// "quantize:gptq": what plans, progress and reports call a stage.
std::string StageName(const v1::Stage& stage);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_METHOD_REGISTRY_H_
