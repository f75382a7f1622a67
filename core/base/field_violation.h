// One thing wrong with a recipe.
#ifndef TERSOR_CORE_BASE_FIELD_VIOLATION_H_
#define TERSOR_CORE_BASE_FIELD_VIOLATION_H_

#include <string>

namespace tersor {

// `field` is a path from the recipe's root: "stages[0].quantize.gptq.bits".
struct FieldViolation {
  std::string field;
  std::string description;
};

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_FIELD_VIOLATION_H_
