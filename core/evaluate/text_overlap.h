// How much of what is evaluated was seen in calibration: shared runs of tokens.
#ifndef TERSOR_CORE_EVALUATE_TEXT_OVERLAP_H_
#define TERSOR_CORE_EVALUATE_TEXT_OVERLAP_H_

#include <cstdint>
#include <span>
#include <vector>

namespace tersor {

// Runs of this many tokens are looked for: the length that the GPT-3 paper (appendix C) calls contamination.
inline constexpr int kOverlapTokens = 13;

struct TextOverlap {
  // Runs of `length` tokens in the evaluated sequences, and those of them that are in the calibration sequences too.
  int64_t runs = 0;
  int64_t shared = 0;
  // The first shared run: its sequence and its first token; -1 where there is none.
  int64_t first_sequence = -1;
  int64_t first_token = -1;

  double share() const { return runs == 0 ? 0 : static_cast<double>(shared) / static_cast<double>(runs); }
};

// Exact: a run counts as shared only where all its tokens are equal. Sequences shorter than `length` have no runs.
TextOverlap MeasureTextOverlap(std::span<const std::span<const int32_t>> calibration,
                               std::span<const std::span<const int32_t>> evaluated, int length = kOverlapTokens);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TEXT_OVERLAP_H_
