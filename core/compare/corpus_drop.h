// Two models on the same items under a metric that is no mean of them: Matthews, correlations, corpus F1.
#ifndef TERSOR_CORE_COMPARE_CORPUS_DROP_H_
#define TERSOR_CORE_COMPARE_CORPUS_DROP_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "core/statistics/paired.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// The drop of `metric` (positive where `after` is worse) by the paired bootstrap: items are drawn with replacement, the
// same for both models. `after`'s items stand in the order of `before`'s. The normal interval of the replicates'
// deviation, widened as Tango's is with few flips, so that models which answer alike on a few items are not known to be
// alike. nullopt where the metric is unknown or an item lacks what it adds.
std::optional<PairedDrop> CorpusDrop(const v1::TaskResult& before, const v1::TaskResult& after,
                                     absl::string_view metric, bool higher_is_better, double confidence);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_CORPUS_DROP_H_
