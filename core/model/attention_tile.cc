#include "core/model/attention_tile.h"

#include <cmath>

namespace tersor {

AttentionTile AttentionTileOf(const AttentionSpec& attention, int64_t query_width, int64_t first_position,
                              int64_t positions) {
  AttentionTile tile;
  tile.head_size = attention.head_size;
  tile.group = attention.heads / attention.kv_heads;
  tile.window = attention.sliding_window;
  tile.scale = attention.score_scale > 0 ? static_cast<float>(attention.score_scale)
                                         : 1.0f / std::sqrt(static_cast<float>(attention.head_size));
  tile.score_cap = static_cast<float>(attention.score_cap);
  tile.first_position = first_position;
  tile.positions = positions;
  tile.query_stride = tile.output_stride = query_width;
  return tile;
}

}  // namespace tersor
