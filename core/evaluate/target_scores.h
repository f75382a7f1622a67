// Log-likelihoods of several targets a row, with the vocabulary's logits computed once a row.
#ifndef TERSOR_CORE_EVALUATE_TARGET_SCORES_H_
#define TERSOR_CORE_EVALUATE_TARGET_SCORES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/model/head.h"

namespace tersor {

struct RowTarget {
  int64_t row = 0;
  int32_t id = 0;
  bool ranked = false;
};

struct TargetScore {
  double log_likelihood = 0;
  // The row's most likely id, of equal ones the lowest.
  int32_t top1 = -1;
  // Ids that are more likely, or as likely and lower; -1 where the target is not `ranked`.
  int64_t rank = -1;
};

// `hidden` is [rows, width] before the final norm; `targets` are in the order of rows. The same bits as
// Head::LogLikelihoods. OUT_OF_RANGE for an id outside the vocabulary.
absl::StatusOr<std::vector<TargetScore>> ScoreTargets(const Head& head, std::span<const float> hidden, int64_t rows,
                                                      std::span<const RowTarget> targets);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TARGET_SCORES_H_
