// What the attention kernel is told of a block's attention.
#ifndef TERSOR_CORE_MODEL_ATTENTION_TILE_H_
#define TERSOR_CORE_MODEL_ATTENTION_TILE_H_

#include <cstdint>

#include "core/kernels/attention.h"
#include "core/model/model_spec.h"

namespace tersor {

// `positions` queries of one sequence from `first_position` on, whose rows and outputs are `query_width` apart. Scoring
// and training ask it, so that both attend alike.
AttentionTile AttentionTileOf(const AttentionSpec& attention, int64_t query_width, int64_t first_position,
                              int64_t positions);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_ATTENTION_TILE_H_
