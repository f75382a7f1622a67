// The token sequences that statistics are gathered on.
#ifndef TERSOR_CORE_CALIBRATION_TOKEN_BATCHES_H_
#define TERSOR_CORE_CALIBRATION_TOKEN_BATCHES_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor {

// Calibration sequences end to end; sequence i is ids[offsets[i]] .. ids[offsets[i+1]]. Empty (no offsets) where no
// stage needs them.
struct CalibrationTokens {
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets;
};

// `text`, tokenized as one piece without BOS and cut into runs of `tokens` ids: the first `samples` of them where
// `seed` is 0, else `samples` different ones in the text's order, chosen by the seed (the same on every machine).
// INVALID_ARGUMENT where samples or tokens is below 1, or where the text has fewer ids (says how many it has and how
// many are needed).
absl::StatusOr<CalibrationTokens> TakeCalibrationTokens(const Tokenizer& tokenizer, absl::string_view text, int samples,
                                                        int tokens, int seed = 0);

}  // namespace tersor

#endif  // TERSOR_CORE_CALIBRATION_TOKEN_BATCHES_H_
