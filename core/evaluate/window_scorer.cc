#include "core/evaluate/window_scorer.h"

#include <algorithm>
#include <vector>

namespace tersor {
namespace {

// What a group's forward pass reads, and where its scored rows lie.
struct GroupInput {
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets = {0};
  std::vector<int64_t> rows;
  std::vector<int32_t> targets;
};

void AddWindow(const ScoredWindow& window, const std::vector<int32_t>& stream, GroupInput& input) {
  const auto base = static_cast<int64_t>(input.ids.size());
  const int64_t prefix = window.prefix >= 0 ? 1 : 0;
  if (prefix != 0) input.ids.push_back(window.prefix);
  input.ids.insert(input.ids.end(), stream.begin() + window.begin, stream.begin() + window.score_end - 1);
  input.offsets.push_back(static_cast<int64_t>(input.ids.size()));
  for (int64_t target = window.score_begin; target < window.score_end; ++target) {
    input.rows.push_back(base + prefix + target - 1 - window.begin);
    input.targets.push_back(stream[target]);
  }
}

// Moves the scored rows to the front. Rows only move down, in order, so nothing is overwritten before it has moved.
void KeepRows(const std::vector<int64_t>& rows, int64_t width, std::vector<float>& hidden) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != i) std::copy_n(hidden.begin() + rows[i] * width, width, hidden.begin() + i * width);
  }
  hidden.resize(rows.size() * width);
}

size_t GroupEnd(const ScoredWindows& windows, size_t first, int64_t limit) {
  int64_t inputs = windows.windows[first].inputs();
  size_t end = first + 1;
  while (end < windows.windows.size() && inputs + windows.windows[end].inputs() <= limit) {
    inputs += windows.windows[end++].inputs();
  }
  return end;
}

}  // namespace

absl::Status ScoreWindows(const ScoringModel& model, const ScoredWindows& windows, const EvaluateContext& context,
                          const std::function<absl::Status(const ScoredGroup&)>& consume, const GroupLimits& limits) {
  const int64_t row_bytes = model.width * static_cast<int64_t>(sizeof(float));
  const int64_t limit = std::min(limits.tokens, limits.hidden_bytes / row_bytes);
  const int64_t total = windows.tokens();
  int64_t done = 0, row = 0;
  for (size_t first = 0; first < windows.windows.size();) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(context.cancellation));
    const size_t end = GroupEnd(windows, first, limit);
    GroupInput input;
    int64_t group_tokens = 0;
    for (size_t i = first; i < end; ++i) {
      AddWindow(windows.windows[i], windows.stream, input);
      group_tokens += windows.windows[i].tokens;
    }
    const auto on_block = [&](int block, int blocks) {
      context.Report(done + group_tokens * block / (blocks + 1), total);
    };
    TERSOR_ASSIGN_OR_RETURN(std::vector<float> hidden,
                            model.hidden_states(input.ids, input.offsets, {}, context.cancellation, on_block));
    if (hidden.size() != input.ids.size() * model.width) return absl::InternalError("hidden states of another size");
    KeepRows(input.rows, model.width, hidden);
    TERSOR_RETURN_IF_ERROR(consume({.windows = {windows.windows.data() + first, end - first},
                                    .first_window = static_cast<int64_t>(first),
                                    .first_row = row,
                                    .hidden = hidden,
                                    .targets = input.targets}));
    row += static_cast<int64_t>(input.targets.size());
    done += group_tokens;
    context.Report(done, total);
    first = end;
  }
  return absl::OkStatus();
}

}  // namespace tersor
