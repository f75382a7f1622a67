// Runs a token stream through all blocks, one block in memory at a time.
#ifndef TERSOR_CORE_MODEL_HIDDEN_STATES_H_
#define TERSOR_CORE_MODEL_HIDDEN_STATES_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

// `ids` are the sequences end to end, `offsets` and `shared` as in PackedBatch. Returns the hidden states after the
// last block (before the final norm), [tokens, width]. Sequences are run in chunks that bound scratch memory, those
// that share positions in one; `on_block` (may be null) is told (blocks done, blocks in all) after each block.
absl::StatusOr<std::vector<float>> HiddenStates(const Model& model, std::span<const int32_t> ids,
                                                const std::vector<int64_t>& offsets, const ComputeOptions& options,
                                                const CancellationToken* cancellation,
                                                const std::function<void(int, int)>& on_block,
                                                std::span<const int64_t> shared = {});

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_HIDDEN_STATES_H_
