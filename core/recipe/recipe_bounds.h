// How large a recipe may be.
#ifndef TERSOR_CORE_RECIPE_RECIPE_BOUNDS_H_
#define TERSOR_CORE_RECIPE_RECIPE_BOUNDS_H_

#include <cstddef>
#include <vector>

#include "core/base/field_violation.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

inline constexpr size_t kMaxRecipeBytes = size_t{1} << 20;
inline constexpr size_t kMaxRecipeText = size_t{64} << 10;
inline constexpr int kMaxRecipeItems = 4096;

// A violation for each text longer than kMaxRecipeText and each list of more than kMaxRecipeItems, and one where the
// whole takes more than kMaxRecipeBytes: a recipe is copied, stored and sent with each of its jobs. A recipe that has
// none is safe to work with.
std::vector<FieldViolation> CheckRecipeBounds(const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_CORE_RECIPE_RECIPE_BOUNDS_H_
