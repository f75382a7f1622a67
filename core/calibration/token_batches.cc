#include "core/calibration/token_batches.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// Moves `samples` runs, chosen by the seed, to the front of `ids`, in their order.
void MoveChosenRuns(std::vector<int32_t>& ids, int samples, int tokens, int seed) {
  const int64_t runs = static_cast<int64_t>(ids.size()) / tokens;
  // The library's distributions and shuffles differ between implementations; the generator does not.
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  int64_t wanted = samples;
  for (int64_t run = 0, kept = 0; wanted > 0; ++run) {
    // Knuth's algorithm S: the chance that keeps every choice of runs equally likely.
    if (static_cast<int64_t>(random() % static_cast<uint64_t>(runs - run)) >= wanted) continue;
    std::copy_n(ids.begin() + run * tokens, tokens, ids.begin() + kept++ * tokens);
    --wanted;
  }
}

}  // namespace

absl::StatusOr<CalibrationTokens> TakeCalibrationTokens(const Tokenizer& tokenizer, absl::string_view text, int samples,
                                                        int tokens, int seed) {
  if (samples < 1 || tokens < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("calibration needs at least one sample of one token, not ", samples, " of ", tokens));
  }
  const int64_t needed = int64_t{samples} * tokens;
  CalibrationTokens taken;
  TERSOR_ASSIGN_OR_RETURN(taken.ids, tokenizer.Encode(text));
  const auto found = static_cast<int64_t>(taken.ids.size());
  if (found < needed) {
    return absl::InvalidArgumentError(absl::StrCat("the calibration text has ", found, " tokens; ", samples,
                                                   " samples of ", tokens, " need ", needed,
                                                   ": take fewer or shorter samples, or a longer text"));
  }
  if (seed != 0) MoveChosenRuns(taken.ids, samples, tokens, seed);
  taken.ids.resize(needed);
  taken.ids.shrink_to_fit();
  for (int64_t i = 0; i <= samples; ++i) taken.offsets.push_back(i * tokens);
  return taken;
}

}  // namespace tersor
