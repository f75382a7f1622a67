#include "tests/core/evaluate/fake_scoring.h"

#include <algorithm>

namespace tersor {

absl::Status FakeHead::LogLikelihoods(std::span<const float> hidden, std::span<const int32_t> targets,
                                      std::span<double> log_likelihoods, std::span<int32_t>) const {
  for (size_t i = 0; i < targets.size(); ++i) log_likelihoods[i] = -(hidden[i * kWidth] + targets[i]) / 1000.0;
  return absl::OkStatus();
}

absl::Status FakeHead::Logits(std::span<const float>, int64_t, std::span<float>) const {
  return absl::UnimplementedError("the fake head has no logits");
}

absl::Status FakeHead::ChunkLogits(const float*, int64_t, int64_t, float*, int64_t) const {
  return absl::UnimplementedError("the fake head has no logits");
}

ScoringModel FakeModel::Scoring() const {
  ScoringModel model;
  model.width = FakeHead::kWidth;
  model.head = std::make_shared<FakeHead>();
  model.hidden_states = [passes = passes, largest = largest](
                            std::span<const int32_t> ids, const std::vector<int64_t>& offsets, std::span<const int64_t>,
                            const CancellationToken* cancellation,
                            const std::function<void(int, int)>& on_block) -> absl::StatusOr<std::vector<float>> {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
    ++*passes;
    *largest = std::max(*largest, static_cast<int64_t>(ids.size()));
    std::vector<float> hidden(ids.size() * FakeHead::kWidth);
    for (size_t sequence = 0; sequence + 1 < offsets.size(); ++sequence) {
      for (int64_t i = offsets[sequence]; i < offsets[sequence + 1]; ++i) {
        hidden[i * FakeHead::kWidth] = static_cast<float>(1000 * ids[i] + (i - offsets[sequence]));
      }
    }
    if (on_block) on_block(1, 1);
    return hidden;
  };
  return model;
}

}  // namespace tersor
