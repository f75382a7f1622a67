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

// The first samples x tokens ids of `text`, tokenized as one piece without BOS, cut into `samples` sequences of
// `tokens`. INVALID_ARGUMENT where either is below 1, or where the text has fewer ids (says how many it has and how
// many are needed).
absl::StatusOr<CalibrationTokens> TakeCalibrationTokens(const Tokenizer& tokenizer, absl::string_view text, int samples,
                                                        int tokens);

}  // namespace tersor

#endif  // TERSOR_CORE_CALIBRATION_TOKEN_BATCHES_H_
