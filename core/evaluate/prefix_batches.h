// Cuts sequences into batches in which what they have in common at their start is there once.
#ifndef TERSOR_CORE_EVALUATE_PREFIX_BATCHES_H_
#define TERSOR_CORE_EVALUATE_PREFIX_BATCHES_H_

#include <cstdint>
#include <span>
#include <vector>

namespace tersor {

// Sequence `index` of those that were planned.
struct PrefixMember {
  int64_t index = 0;
  // The first positions that are those of the member before it in the batch, 0 for a batch's first.
  int64_t shared = 0;
};

// Members in lexicographic order, so that each shares as much as can be with the one before it; equal sequences stand
// side by side, and a sequence may be the beginning of the next one.
struct PrefixBatch {
  std::vector<PrefixMember> members;
  // Positions that have to be computed.
  int64_t tokens = 0;
};

// Every sequence in one batch. Batches hold at most `limit` tokens unless one sequence alone has more; where there is a
// choice they end where neighbours share little, because what they share is computed in both batches.
std::vector<PrefixBatch> PlanPrefixBatches(const std::vector<std::span<const int32_t>>& sequences, int64_t limit);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_PREFIX_BATCHES_H_
