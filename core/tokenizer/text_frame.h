// What stands around the ids of every text.
#ifndef TERSOR_CORE_TOKENIZER_TEXT_FRAME_H_
#define TERSOR_CORE_TOKENIZER_TEXT_FRAME_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor {

struct TextFrame {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
  // A text that begins with this one (BOS as text, as chat templates write it) has its frame already. May be empty.
  std::string marker;

  bool empty() const { return before.empty() && after.empty(); }
  // "1 first, 2 last", in ids; "" where it is empty.
  std::string Words() const;
};

// The ids of `text` in the frame.
absl::StatusOr<std::vector<int32_t>> EncodeFramed(const Tokenizer& tokenizer, const TextFrame& frame,
                                                  absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_TOKENIZER_TEXT_FRAME_H_
