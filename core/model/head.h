// Embedding lookup, final norm, and everything that is computed from logits without keeping them.
#ifndef TERSOR_CORE_MODEL_HEAD_H_
#define TERSOR_CORE_MODEL_HEAD_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

// Writes the embedding rows of `ids`, scaled as the model wants them, to hidden [ids.size(), width]. Learned positions
// are not in them: the first block adds those. OUT_OF_RANGE names an id outside the vocabulary.
absl::Status Embed(const Model& model, std::span<const int32_t> ids, std::span<float> hidden);

// Final RMSNorm and the language-model head, prepared for the matmul library. Thread-compatible.
class Head {
 public:
  static absl::StatusOr<std::unique_ptr<Head>> Load(const Model& model, const ComputeOptions& options);
  virtual ~Head() = default;

  // hidden [rows, width] (before the final norm) -> logits [rows, vocabulary].
  virtual absl::Status Logits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const = 0;
  // The same of few rows, as fast as the weights can be read: close to Logits, but not of the same bits. A row's bits
  // do not depend on the others.
  virtual absl::Status RowLogits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const = 0;
  // Natural-log likelihood of `targets[i]` after row i, in chunks: never holds rows x vocabulary logits.
  // `top1` (may be empty) receives the most likely id of each row.
  virtual absl::Status LogLikelihoods(std::span<const float> hidden, std::span<const int32_t> targets,
                                      std::span<double> log_likelihoods, std::span<int32_t> top1) const = 0;

  // The parts that Divergence and others put together chunk by chunk: chunk c holds the logits of ids
  // c * chunk_ids() and up, the last one possibly fewer.
  virtual int threads() const = 0;
  virtual int64_t width() const = 0;
  virtual int64_t vocabulary() const = 0;
  virtual int64_t chunk_ids() const = 0;
  // hidden [rows, width] -> normed [rows, width].
  virtual void Norm(const float* hidden, int64_t rows, float* normed) const = 0;
  // normed [rows, width] -> logits of the chunk's ids, rows `stride` floats apart; on the calling thread.
  virtual absl::Status ChunkLogits(const float* normed, int64_t rows, int64_t chunk, float* logits,
                                   int64_t stride) const = 0;
};

// Per row: KL(softmax(dense logits) || softmax(other logits)) in nats, whether the top-1 ids agree, and, unless
// `jensen_shannon` is empty, the Jensen-Shannon divergence of the two in nats.
// Both hidden are [rows, width] before their models' final norms.
absl::Status Divergence(const Head& dense, std::span<const float> dense_hidden, const Head& other,
                        std::span<const float> other_hidden, int64_t rows, std::span<double> kl,
                        std::span<uint8_t> same_top1, std::span<double> jensen_shannon = {});

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_HEAD_H_
