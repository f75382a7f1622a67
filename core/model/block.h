// One transformer block, runnable whole or segment by segment, so that compression can stand between its linear layers.
#ifndef TERSOR_CORE_MODEL_BLOCK_H_
#define TERSOR_CORE_MODEL_BLOCK_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

class KvCache;
class Linear;

// Sequences laid end to end without padding: tokens of sequence i are rows offsets[i] .. offsets[i+1].
// Positions start at 0, or after what `cache` holds for the sequence.
struct PackedBatch {
  std::vector<int64_t> offsets;
  // Not owned; null when nothing is cached. Sequence i uses slot i, or slots[i]; its new positions are the caller's to
  // commit once all blocks have seen them.
  KvCache* cache = nullptr;
  // Empty, or with `cache` a slot of its own for each sequence.
  std::vector<int64_t> slots = {};
  // Empty, or for each sequence how many of its first positions are those of the sequence before it (its own shared
  // ones included): they are read from there, and its rows are what follows them. The first sequence's is 0. Without
  // `cache` only.
  std::vector<int64_t> shared = {};

  int64_t tokens() const { return offsets.empty() ? 0 : offsets.back(); }
  int64_t sequences() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

// A linear layer of the block: Hugging Face module name ("model.layers.3.mlp.down_proj"); its parameter is name +
// ".weight".
struct LinearLayer {
  std::string name;
  int64_t outputs = 0;
  int64_t inputs = 0;
};

// Linear layers that read the same input, with what follows them up to the next segment's input.
struct Segment {
  // "qkv", "out", "gate_up", "down".
  std::string name;
  int64_t input_width = 0;
  std::vector<LinearLayer> linears;
};

// Holds float (or bf16) copies of one block's weights, prepared for the matmul library; freed with the object.
// Const methods may be called from any number of threads at a time (on caches of their own); they use `options.threads`
// threads each. Rows' results do not depend on how sequences are batched, on their order or on the number of threads.
class Block {
 public:
  static absl::StatusOr<std::unique_ptr<Block>> Load(const Model& model, int index, const ComputeOptions& options);
  // What segments() of the loaded block would say, from the model's specification alone.
  static absl::StatusOr<std::vector<Segment>> Describe(const Model& model, int index);
  virtual ~Block() = default;

  virtual const std::vector<Segment>& segments() const = 0;

  // hidden [tokens, width] -> the input of segment 0 [tokens, segments()[0].input_width].
  virtual absl::Status Enter(const PackedBatch& batch, std::span<const float> hidden, std::span<float> input) const = 0;
  // Runs segment `s` on its input: linear layers, then everything up to the next segment's input, which goes to `next`
  // ([tokens, segments()[s+1].input_width]); residual additions change `hidden`. The last segment takes an empty
  // `next`.
  virtual absl::Status RunSegment(int s, const PackedBatch& batch, std::span<const float> input,
                                  std::span<float> hidden, std::span<float> next) const = 0;
  // All segments in a row on `hidden` [tokens, width]; faster than calling them one by one where fusion pays.
  virtual absl::Status Forward(const PackedBatch& batch, std::span<float> hidden) const = 0;
  // Forward of one token of each of `slots` (all different), which follows what `cache` holds of it, by kernels that
  // are as fast as the weights can be read: hidden [slots, width]. Close to Forward's results, but not of the same
  // bits: for generation, not for scoring. A slot's bits do not depend on the others.
  virtual absl::Status Step(KvCache& cache, std::span<const int64_t> slots, std::span<float> hidden) const = 0;
  // The linear layers, in the order of segments(). They live as long as the block, until their weight is set.
  virtual std::vector<const Linear*> linears() const = 0;
  // Replaces a linear layer's weight by what `weight` decodes to.
  virtual absl::Status SetWeight(const std::string& linear_name, const EncodedTensor& weight) = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_BLOCK_H_
