#include "core/tokenizer/text_frame.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tersor {

std::string TextFrame::Words() const {
  const std::string first = before.empty() ? "" : absl::StrCat(absl::StrJoin(before, " "), " first");
  const std::string last = after.empty() ? "" : absl::StrCat(absl::StrJoin(after, " "), " last");
  return absl::StrCat(first, first.empty() || last.empty() ? "" : ", ", last);
}

absl::StatusOr<std::vector<int32_t>> EncodeFramed(const Tokenizer& tokenizer, const TextFrame& frame,
                                                  absl::string_view text) {
  TERSOR_ASSIGN_OR_RETURN(std::vector<int32_t> ids, tokenizer.Encode(text));
  if (frame.empty() || (!frame.marker.empty() && absl::StartsWith(text, frame.marker))) return ids;
  ids.insert(ids.begin(), frame.before.begin(), frame.before.end());
  ids.insert(ids.end(), frame.after.begin(), frame.after.end());
  return ids;
}

}  // namespace tersor
