#include "core/evaluate/flops.h"

#include <algorithm>

namespace tersor {
namespace {

// Of a token that sees `positions` positions, its own included.
double AttentionFlops(const AttentionSpec& a, double positions) { return 4.0 * a.heads * a.head_size * positions; }

int64_t Seen(const AttentionSpec& a, int64_t position) {
  return a.sliding_window > 0 ? std::min<int64_t>(position + 1, a.sliding_window) : position + 1;
}

}  // namespace

FlopsPerToken CountFlops(const ModelSpec& spec, int64_t tokens) {
  tokens = std::max<int64_t>(tokens, 1);
  const double head = 2.0 * spec.vocabulary * spec.width;
  FlopsPerToken flops;
  for (const LayerSpec& layer : spec.layers) {
    double seen = 0;
    for (int64_t position = 0; position < tokens; ++position) seen += Seen(layer.attention, position);
    const double matrices = 2.0 * static_cast<double>(layer.LinearWeights(spec.width));
    flops.prefill += matrices + AttentionFlops(layer.attention, seen / tokens);
    flops.decode += matrices + AttentionFlops(layer.attention, Seen(layer.attention, tokens));
  }
  flops.prefill += head / tokens;
  flops.decode += head;
  return flops;
}

}  // namespace tersor
