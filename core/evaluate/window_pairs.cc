#include "core/evaluate/window_pairs.h"

#include <algorithm>
#include <utility>

#include "core/base/stopwatch.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/window_scorer.h"

namespace tersor {
namespace {

// As many tokens as scoring has in memory at a time.
constexpr int64_t kGroupTokens = 16384;

template <typename T>
std::vector<T> Part(std::span<const T> values, size_t begin, size_t count) {
  return values.empty() ? std::vector<T>()
                        : std::vector<T>(values.begin() + static_cast<std::ptrdiff_t>(begin),
                                         values.begin() + static_cast<std::ptrdiff_t>(begin + count));
}

size_t GroupEnd(std::span<const ScoredWindow> windows, size_t first) {
  int64_t inputs = windows[first].inputs();
  size_t end = first + 1;
  while (end < windows.size() && inputs + windows[end].inputs() <= kGroupTokens) inputs += windows[end++].inputs();
  return end;
}

// What one group of windows gave.
struct GroupScores {
  std::vector<double> dense_nlls;
  std::vector<double> nlls;
  TokenDivergences tokens;
};

absl::StatusOr<GroupScores> ScoreGroup(const ScoringModel& dense, const ScoringModel& compressed, bool divergence,
                                       const ScoredWindows& group, const EvaluateContext& context,
                                       PairSeconds& seconds) {
  GroupScores scores;
  std::vector<float> hidden;
  Stopwatch watch;
  TERSOR_RETURN_IF_ERROR(ScoreWindows(dense, group, context, [&](const ScoredGroup& part) {
    if (divergence) hidden.insert(hidden.end(), part.hidden.begin(), part.hidden.end());
    return AddBlockNlls(*dense.head, part, scores.dense_nlls);
  }));
  seconds.dense += watch.Seconds();
  const auto scored = static_cast<size_t>(divergence ? group.scored() : 0);
  scores.tokens = {std::vector<double>(scored), std::vector<double>(scored), std::vector<uint8_t>(scored)};
  watch = Stopwatch();
  TERSOR_RETURN_IF_ERROR(ScoreWindows(compressed, group, context, [&](const ScoredGroup& part) -> absl::Status {
    TERSOR_RETURN_IF_ERROR(AddBlockNlls(*compressed.head, part, scores.nlls));
    if (!divergence) return absl::OkStatus();
    const auto first = static_cast<size_t>(part.first_row), rows = part.targets.size();
    const auto width = static_cast<size_t>(dense.width);
    return Divergence(*dense.head, std::span<const float>(hidden).subspan(first * width, rows * width),
                      *compressed.head, part.hidden, static_cast<int64_t>(rows),
                      std::span(scores.tokens.kl).subspan(first, rows),
                      std::span(scores.tokens.same_top1).subspan(first, rows),
                      std::span(scores.tokens.jensen_shannon).subspan(first, rows));
  }));
  seconds.compressed += watch.Seconds();
  return scores;
}

}  // namespace

std::vector<PairedWindow> CutPairs(std::span<const ScoredWindow> windows, std::span<const double> dense_nlls,
                                   std::span<const double> nlls, const TokenDivergences& tokens) {
  std::vector<PairedWindow> pairs;
  size_t block = 0, token = 0;
  for (const ScoredWindow& window : windows) {
    const auto blocks = static_cast<size_t>(window.blocks()), scored = static_cast<size_t>(window.scored());
    pairs.push_back({Part(dense_nlls, block, blocks),
                     Part(nlls, block, blocks),
                     {Part<double>(tokens.kl, token, scored), Part<double>(tokens.jensen_shannon, token, scored),
                      Part<uint8_t>(tokens.same_top1, token, scored)}});
    block += blocks;
    token += scored;
  }
  return pairs;
}

absl::StatusOr<PairSeconds> ScorePairs(
    const ScoringModel& dense, const ScoringModel& compressed, bool divergence, const ScoredWindows& windows,
    const EvaluateContext& context,
    const std::function<absl::Status(size_t first, std::vector<PairedWindow> pairs)>& keep) {
  PairSeconds seconds;
  const int64_t total = windows.tokens();
  int64_t done = 0;
  for (size_t first = 0; first < windows.windows.size();) {
    const size_t end = GroupEnd(windows.windows, first);
    ScoredWindows group;
    group.stream = windows.stream;
    group.windows = Part<ScoredWindow>(windows.windows, first, end - first);
    TERSOR_ASSIGN_OR_RETURN(const GroupScores scores, ScoreGroup(dense, compressed, divergence, group,
                                                                 {.cancellation = context.cancellation}, seconds));
    TERSOR_RETURN_IF_ERROR(keep(first, CutPairs(group.windows, scores.dense_nlls, scores.nlls, scores.tokens)));
    done += group.tokens();
    context.Report(done, total);
    first = end;
  }
  return seconds;
}

}  // namespace tersor
