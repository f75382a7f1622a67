#include "core/evaluate/prefix_batches.h"

#include <algorithm>
#include <numeric>

namespace tersor {
namespace {

int64_t CommonPrefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

}  // namespace

std::vector<PrefixBatch> PlanPrefixBatches(const std::vector<std::span<const int32_t>>& sequences, int64_t limit) {
  const auto length = [&](int64_t i) { return static_cast<int64_t>(sequences[i].size()); };
  std::vector<int64_t> order(sequences.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return std::lexicographical_compare(sequences[a].begin(), sequences[a].end(), sequences[b].begin(),
                                        sequences[b].end());
  });
  std::vector<int64_t> common(order.size(), 0);
  for (size_t i = 1; i < order.size(); ++i) common[i] = CommonPrefix(sequences[order[i - 1]], sequences[order[i]]);

  std::vector<PrefixBatch> batches;
  for (size_t first = 0; first < order.size();) {
    int64_t tokens = length(order[first]);
    // Where the batch may end best: the least shared boundary of its second half.
    size_t end = first + 1, best = 0;
    for (; end < order.size(); ++end) {
      if (tokens >= limit / 2 && (best == 0 || common[end] <= common[best])) best = end;
      const int64_t more = length(order[end]) - common[end];
      if (tokens + more > limit) break;
      tokens += more;
    }
    if (end < order.size() && best != 0) end = best;
    PrefixBatch& batch = batches.emplace_back();
    for (size_t i = first; i < end; ++i) {
      batch.members.push_back({order[i], i == first ? 0 : common[i]});
      batch.tokens += length(order[i]) - batch.members.back().shared;
    }
    first = end;
  }
  return batches;
}

}  // namespace tersor
