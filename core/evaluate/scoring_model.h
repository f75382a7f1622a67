// What evaluation needs of a model: final hidden states of sequences, and a head.
#ifndef TERSOR_CORE_EVALUATE_SCORING_MODEL_H_
#define TERSOR_CORE_EVALUATE_SCORING_MODEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/model/compute_options.h"
#include "core/model/head.h"
#include "core/model/model.h"

namespace tersor {

struct ScoringModel {
  // As HiddenStates of core/model/hidden_states.h with the model and the options bound.
  using HiddenStatesFunction = std::function<absl::StatusOr<std::vector<float>>(
      std::span<const int32_t> ids, const std::vector<int64_t>& offsets, std::span<const int64_t> shared,
      const CancellationToken* cancellation, const std::function<void(int, int)>& on_block)>;

  int64_t width = 0;
  // 0 where unknown.
  int64_t context_length = 0;
  HiddenStatesFunction hidden_states;
  std::shared_ptr<const Head> head;
};

// Keeps the model's parameters alive (they are shared), and the head's prepared weights.
absl::StatusOr<ScoringModel> PrepareScoring(const Model& model, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_SCORING_MODEL_H_
