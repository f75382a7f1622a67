// Which of a recipe's perplexities a gate is about.
#ifndef TERSOR_CORE_EVALUATE_GATE_SELECTION_H_
#define TERSOR_CORE_EVALUATE_GATE_SELECTION_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/evaluate/gate_syntax.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// "windows" where the recipe does not say.
absl::string_view ConventionOf(const v1::PerplexityEvaluation& evaluation);

// Indices of the recipe's perplexities that the gate's selector picks; all without one.
std::vector<int> SelectedPerplexities(const Gate& gate, const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATE_SELECTION_H_
