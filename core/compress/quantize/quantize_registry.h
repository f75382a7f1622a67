// The one list of methods that round weights.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZE_REGISTRY_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZE_REGISTRY_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/method.h"
#include "core/compress/method_description.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// As MakeMethod of method_registry.h. `field`: path of the family's message ("stages[0].quantize").
std::unique_ptr<const Method> MakeMethod(const v1::QuantizeStage& stage, const std::string& field,
                                         std::vector<FieldViolation>& violations);

std::vector<MethodDescription> QuantizeMethods();

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZE_REGISTRY_H_
