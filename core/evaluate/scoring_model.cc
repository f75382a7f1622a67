#include "core/evaluate/scoring_model.h"

#include <utility>

#include "core/model/hidden_states.h"

namespace tersor {

absl::StatusOr<ScoringModel> PrepareScoring(const Model& model, const ComputeOptions& options) {
  const ComputeOptions scoring_options = ForManyRows(options);
  TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<Head> head, Head::Load(model, scoring_options));
  ScoringModel scoring;
  scoring.width = model.spec.width;
  scoring.context_length = model.spec.context_length;
  scoring.head = std::move(head);
  scoring.hidden_states = [model, options = scoring_options](
                              std::span<const int32_t> ids, const std::vector<int64_t>& offsets,
                              std::span<const int64_t> shared, const CancellationToken* cancellation,
                              const std::function<void(int, int)>& on_block) {
    return HiddenStates(model, ids, offsets, options, cancellation, on_block, shared);
  };
  return scoring;
}

}  // namespace tersor
