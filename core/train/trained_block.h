// A decoder block that can be run backwards.
#ifndef TERSOR_CORE_TRAIN_TRAINED_BLOCK_H_
#define TERSOR_CORE_TRAIN_TRAINED_BLOCK_H_

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/kernels/attention.h"
#include "core/model/block.h"
#include "core/model/rope_table.h"
#include "core/train/trained_linear.h"
#include "core/train/trained_norm.h"

namespace tersor {

// What the backward pass reads of a forward pass: rows are the batch's tokens. Its memory is kept from pass to pass.
struct BlockActivations {
  // Block input [tokens, width].
  std::vector<float> hidden;
  // As the layers gave them: with norms over heads alone.
  std::vector<float> raw_queries, raw_keys;
  std::vector<float> queries, keys, values, attended;
  // [tokens, heads]: see AttentionTile.
  std::vector<float> log_sums;
  // Of norms after attention and after the feed-forward layer alone: what they read.
  std::vector<float> attention_output, mlp_output;
  // After attention was added [tokens, width].
  std::vector<float> middle;
  // Before the activation; `gate` where the layer is gated alone.
  std::vector<float> gate, up;
};

// The block of LayerSpec. Thread-compatible. Rows of Forward have the bits of Block::Forward; sums of gradients have
// one order whatever the number of threads.
class TrainedBlock {
 public:
  // Gives a linear layer its source by Tersor's name ("model.layers.3.mlp.down_proj").
  using SourceOf = std::function<absl::StatusOr<TrainedLinearSource>(const std::string& layer)>;
  static absl::StatusOr<std::unique_ptr<TrainedBlock>> Create(const ModelSpec& spec, int index,
                                                              ParameterMap& parameters, const SourceOf& source_of,
                                                              const ComputeOptions& options);

  // After the parameters have changed.
  absl::Status Refresh();
  // hidden [tokens, width] becomes the block's output. `batch` has offsets alone.
  absl::Status Forward(const PackedBatch& batch, std::span<float> hidden, BlockActivations& activations);
  // gradient [tokens, width] of the output becomes that of the input; the parameters' gradients are added to.
  absl::Status Backward(const PackedBatch& batch, const BlockActivations& activations, std::span<float> gradient);

 private:
  enum LinearIndex { kQuery, kKey, kValue, kOutput, kGate, kUp, kDown, kLinears };
  struct Tile {
    int64_t first = 0;
    int64_t count = 0;
  };
  struct Layout;
  struct Gradients;

  TrainedBlock(const ModelSpec& spec, int index, const ComputeOptions& options);
  absl::Status LoadNorms(const ModelSpec& spec, ParameterMap& parameters);

  bool is_sandwich() const { return after_mlp_.width() > 0; }
  Layout LayOut(const PackedBatch& batch) const;
  absl::StatusOr<std::vector<std::shared_ptr<const void>>> Hold(TrainedLinear::Direction direction);
  template <typename Run>
  absl::Status ForTiles(int64_t tokens, const Run& run) const;
  AttentionTile MakeTile(int64_t first_position, int64_t positions) const;

  void Resize(int64_t tokens, BlockActivations& a) const;
  absl::Status ForwardQkv(const Layout& layout, Tile tile, BlockActivations& a) const;
  void Rotate(const RopeTable* rope, int64_t position, float direction, float* x, int heads) const;
  absl::Status Attend(const Layout& layout, BlockActivations& a) const;
  absl::Status ForwardMlp(Tile tile, BlockActivations& a, float* hidden) const;
  // residual += linear(x), through the norm that follows where there is one, whose input is kept in `output`.
  absl::Status AddOutput(LinearIndex linear, const TrainedNorm& after, const float* x, int64_t rows, float* output,
                         float* residual) const;

  absl::Status BackwardMlp(Tile tile, const BlockActivations& a, const float* gradient, Gradients& g) const;
  absl::Status BackwardAttention(const Layout& layout, const BlockActivations& a, Gradients& g) const;
  absl::Status BackwardQkv(const Layout& layout, Tile tile, const BlockActivations& a, Gradients& g,
                           float* gradient) const;
  absl::Status BackwardLinear(LinearIndex linear, Tile tile, bool accumulate, float* x_gradient, Gradients& g) const;
  // `gradient` is the block output's.
  absl::Status AddGradients(const BlockActivations& a, const float* gradient, Gradients& g) const;

  LayerSpec spec_;
  int index_;
  ComputeOptions options_;
  int64_t width_, query_width_, key_width_;
  bool has_rope_;
  std::array<TrainedLinear, kLinears> linears_;
  TrainedNorm input_norm_, inner_norm_, query_norm_, key_norm_, after_attention_, after_mlp_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_TRAINED_BLOCK_H_
