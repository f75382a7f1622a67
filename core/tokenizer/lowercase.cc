#include "core/tokenizer/lowercase.h"

#include "core/tokenizer/tersor_tokenizers.h"

namespace tersor {

std::string Lowercase(absl::string_view text) {
  const TersorBytes lower = tersor_lowercase(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  std::string copy(reinterpret_cast<const char*>(lower.data), lower.length);
  tersor_bytes_free(lower);
  return copy;
}

}  // namespace tersor
