#include "core/evaluate/gate_selection.h"

#include "absl/strings/str_cat.h"

namespace tersor {

absl::string_view ConventionOf(const v1::PerplexityEvaluation& evaluation) {
  return evaluation.convention().empty() ? absl::string_view("windows") : absl::string_view(evaluation.convention());
}

std::vector<int> SelectedPerplexities(const Gate& gate, const v1::Recipe& recipe) {
  std::vector<int> selected;
  for (int i = 0; i < recipe.evaluate().perplexity_size(); ++i) {
    const v1::PerplexityEvaluation& evaluation = recipe.evaluate().perplexity(i);
    if (gate.selector.empty() || gate.selector == evaluation.dataset() ||
        gate.selector == absl::StrCat(evaluation.dataset(), ":", ConventionOf(evaluation))) {
      selected.push_back(i);
    }
  }
  return selected;
}

}  // namespace tersor
