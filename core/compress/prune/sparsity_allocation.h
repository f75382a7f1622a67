// Sharing a sparsity out among layers by what is known of all of them.
#ifndef TERSOR_CORE_COMPRESS_PRUNE_SPARSITY_ALLOCATION_H_
#define TERSOR_CORE_COMPRESS_PRUNE_SPARSITY_ALLOCATION_H_

#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/compress/method.h"
#include "core/compress/prune/prune_options.h"
#include "nlohmann/json_fwd.hpp"

namespace tersor {

// Analyses of a block are small JSON objects that AllocateSparsity turns into {"layers": {NAME: SPARSITY}}. A weight's
// score is |W_ij|, times the norm of its input where `statistics` of the task has norms.

// By OWL (arXiv 2310.05175): the share of the block's weights whose score is above options.owl_outlier times their
// mean. By one threshold: how many weights of each layer score how much, in steps of a sixteenth.
absl::StatusOr<nlohmann::json> AnalyzeBlock(const BlockTask& task, const PruneOptions& options);

// OWL: blocks with more outliers keep more, by up to options.owl_spread more or less than the mean; by less where a
// block would have to keep more than all or leave out more than kMostSparsity, so that the mean is what was asked for.
// One threshold: every layer leaves out what scores below it, at most kMostSparsity of it. INTERNAL where the analyses
// are no such objects.
inline constexpr double kMostSparsity = 0.99;
absl::StatusOr<nlohmann::json> AllocateSparsity(const std::vector<nlohmann::json>& analyses,
                                                const PruneOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_SPARSITY_ALLOCATION_H_
