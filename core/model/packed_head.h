// The head as chunks of the vocabulary. Private to core/model; see head.h for the contract.
#ifndef TERSOR_CORE_MODEL_PACKED_HEAD_H_
#define TERSOR_CORE_MODEL_PACKED_HEAD_H_

#include <memory>
#include <vector>

#include "core/model/head.h"
#include "core/model/linear.h"
#include "core/model/normalization.h"

namespace tersor {

class PackedHead final : public Head {
 public:
  // Ids a chunk: its weights and a tile's logits stay in the second-level cache.
  static constexpr int64_t kChunkIds = 512;

  static absl::StatusOr<std::unique_ptr<PackedHead>> Create(const Model& model, const ComputeOptions& options);

  absl::Status Logits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const override;
  absl::Status LogLikelihoods(std::span<const float> hidden, std::span<const int32_t> targets,
                              std::span<double> log_likelihoods, std::span<int32_t> top1) const override;
  absl::Status RowLogits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const override;
  std::span<const Linear> chunk_linears() const { return chunks_; }
  int threads() const override { return options_.threads; }
  int64_t width() const override { return width_; }
  int64_t vocabulary() const override { return vocabulary_; }
  int64_t chunk_ids() const override { return kChunkIds; }
  void Norm(const float* hidden, int64_t rows, float* normed) const override;
  absl::Status ChunkLogits(const float* normed, int64_t rows, int64_t chunk, float* logits,
                           int64_t stride) const override;

 private:
  PackedHead() = default;
  int64_t chunks() const { return static_cast<int64_t>(chunks_.size()); }
  absl::Status CheckLogits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const;
  void Cap(float* logits, int64_t count) const;
  absl::Status GroupLikelihoods(const float* hidden, std::span<const int32_t> targets,
                                std::span<double> log_likelihoods, std::span<int32_t> top1) const;

  ComputeOptions options_;
  int64_t width_ = 0;
  int64_t vocabulary_ = 0;
  // Of ModelSpec.
  float logit_cap_ = 0;
  Normalization norm_;
  std::vector<Linear> chunks_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_PACKED_HEAD_H_
