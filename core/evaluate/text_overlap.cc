#include "core/evaluate/text_overlap.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"

namespace tersor {
namespace {

// A run of tokens as its content; it points into the sequence.
struct Run {
  std::span<const int32_t> tokens;

  template <typename H>
  friend H AbslHashValue(H state, const Run& run) {
    return H::combine_contiguous(std::move(state), run.tokens.data(), run.tokens.size());
  }
  friend bool operator==(const Run& a, const Run& b) {
    return std::equal(a.tokens.begin(), a.tokens.end(), b.tokens.begin(), b.tokens.end());
  }
};

}  // namespace

TextOverlap MeasureTextOverlap(std::span<const std::span<const int32_t>> calibration,
                               std::span<const std::span<const int32_t>> evaluated, int length) {
  TextOverlap overlap;
  if (length < 1) return overlap;
  const auto size = static_cast<size_t>(length);
  absl::flat_hash_set<Run> seen;
  for (const std::span<const int32_t> sequence : calibration) {
    for (size_t i = 0; i + size <= sequence.size(); ++i) seen.insert(Run{sequence.subspan(i, size)});
  }
  for (size_t s = 0; s < evaluated.size(); ++s) {
    for (size_t i = 0; i + size <= evaluated[s].size(); ++i) {
      ++overlap.runs;
      if (!seen.contains(Run{evaluated[s].subspan(i, size)})) continue;
      if (overlap.shared++ > 0) continue;
      overlap.first_sequence = static_cast<int64_t>(s);
      overlap.first_token = static_cast<int64_t>(i);
    }
  }
  return overlap;
}

}  // namespace tersor
