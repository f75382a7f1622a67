// How far a perplexity would move on another text of the same kind and length.
#ifndef TERSOR_CORE_COMPARE_PERPLEXITY_ERROR_H_
#define TERSOR_CORE_COMPARE_PERPLEXITY_ERROR_H_

#include <optional>
#include <span>
#include <vector>

#include "tersor/v1/report.pb.h"

namespace tersor {

// Sums and counts of the runs of about 256 scored tokens that a perplexity is made of; of its windows where a report
// has no such runs.
struct NllBlocks {
  std::vector<double> nlls;
  std::vector<double> tokens;
};
NllBlocks NllBlocksOf(const v1::PerplexityResult& result);

// The result's standard error, computed where it says none: of the mean over clusters, the blocks, taken through the
// exponential (delta method). nullopt with fewer than two blocks, or where it is not finite.
std::optional<double> PerplexityStandardError(const v1::PerplexityResult& result);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_PERPLEXITY_ERROR_H_
