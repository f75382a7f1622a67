#include "server/base/valid_text.h"

#include "core/base/utf8.h"

namespace tersor {

std::string ToValidText(absl::string_view text, size_t limit) {
  std::string valid;
  while (!text.empty() && valid.size() <= limit) {
    const size_t well_formed = ValidUtf8Prefix(text);
    valid.append(text.data(), well_formed);
    text.remove_prefix(well_formed);
    if (text.empty()) break;
    valid.push_back('?');
    text.remove_prefix(1);
  }
  if (valid.size() <= limit && text.empty()) return valid;
  // What is cut inside a character is not well-formed at its end.
  const size_t end = ValidUtf8Prefix(absl::string_view(valid).substr(0, limit));
  return valid.substr(0, end) + "...";
}

}  // namespace tersor
