#include "core/calibration/token_batches.h"

#include "absl/strings/str_cat.h"

namespace tersor {

absl::StatusOr<CalibrationTokens> TakeCalibrationTokens(const Tokenizer& tokenizer, absl::string_view text, int samples,
                                                        int tokens) {
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
  taken.ids.resize(needed);
  taken.ids.shrink_to_fit();
  for (int64_t i = 0; i <= samples; ++i) taken.offsets.push_back(i * tokens);
  return taken;
}

}  // namespace tersor
