// Models whose answers can be worked out by hand.
#ifndef TERSOR_TESTS_CORE_EVALUATE_FAKE_SCORING_H_
#define TERSOR_TESTS_CORE_EVALUATE_FAKE_SCORING_H_

#include <memory>
#include <vector>

#include "core/evaluate/scoring_model.h"

namespace tersor {

// log p(target) = -(hidden[0] + target) / 1000: depends on both, so that a row paired with a wrong target shows.
class FakeHead final : public Head {
 public:
  absl::Status LogLikelihoods(std::span<const float> hidden, std::span<const int32_t> targets,
                              std::span<double> log_likelihoods, std::span<int32_t> top1) const override;
  absl::Status Logits(std::span<const float>, int64_t, std::span<float>) const override;
  absl::Status RowLogits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const override {
    return Logits(hidden, rows, logits);
  }
  int threads() const override { return 1; }
  int64_t width() const override { return kWidth; }
  int64_t vocabulary() const override { return 1000; }
  int64_t chunk_ids() const override { return 1000; }
  void Norm(const float*, int64_t, float*) const override {}
  absl::Status ChunkLogits(const float*, int64_t, int64_t, float*, int64_t) const override;

  static constexpr int64_t kWidth = 2;
};

// Hidden row: {1000 * id + position in its sequence, 0}. Counts its passes.
struct FakeModel {
  std::shared_ptr<int> passes = std::make_shared<int>(0);
  // Rows of the largest pass.
  std::shared_ptr<int64_t> largest = std::make_shared<int64_t>(0);
  ScoringModel Scoring() const;
};

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_EVALUATE_FAKE_SCORING_H_
