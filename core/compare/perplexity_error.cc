#include "core/compare/perplexity_error.h"

#include <cmath>
#include <numeric>

#include "core/statistics/moments.h"

namespace tersor {

NllBlocks NllBlocksOf(const v1::PerplexityResult& result) {
  NllBlocks blocks;
  for (const v1::PerplexityResult::Window& window : result.windows()) {
    for (const v1::PerplexityResult::Block& block : window.blocks()) {
      blocks.nlls.push_back(block.nll_sum());
      blocks.tokens.push_back(static_cast<double>(block.n()));
    }
    if (window.blocks().empty()) {
      blocks.nlls.push_back(window.nll_sum());
      blocks.tokens.push_back(static_cast<double>(window.n()));
    }
  }
  return blocks;
}

std::optional<double> PerplexityStandardError(const v1::PerplexityResult& result) {
  if (result.has_standard_error() && std::isfinite(result.standard_error())) return result.standard_error();
  const NllBlocks blocks = NllBlocksOf(result);
  const double tokens = std::accumulate(blocks.tokens.begin(), blocks.tokens.end(), 0.0);
  if (blocks.tokens.size() < 2 || !(tokens > 0) || result.count() <= 0) return std::nullopt;
  // A perplexity per word has the tokens' sum over the words in its exponent.
  const double exponent = tokens / static_cast<double>(result.count());
  const double error = MeanOverClusters(blocks.nlls, blocks.tokens).standard_error * exponent * result.value();
  return std::isfinite(error) ? std::optional<double>(error) : std::nullopt;
}

}  // namespace tersor
