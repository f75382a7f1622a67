// The block of decoder models, as its LayerSpec describes it. Private to core/model; see block.h for the contract.
#ifndef TERSOR_CORE_MODEL_DECODER_BLOCK_H_
#define TERSOR_CORE_MODEL_DECODER_BLOCK_H_

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/model/block.h"
#include "core/model/kv_cache.h"
#include "core/model/linear.h"
#include "core/model/normalization.h"
#include "core/model/rope_table.h"

namespace tersor {

class DecoderBlock final : public Block {
 public:
  static absl::StatusOr<std::unique_ptr<Block>> Create(const Model& model, int index, const ComputeOptions& options);
  static absl::StatusOr<std::vector<Segment>> Describe(const Model& model, int index);

  const std::vector<Segment>& segments() const override { return segments_; }
  absl::Status Enter(const PackedBatch& batch, std::span<const float> hidden, std::span<float> input) const override;
  absl::Status RunSegment(int s, const PackedBatch& batch, std::span<const float> input, std::span<float> hidden,
                          std::span<float> next) const override;
  absl::Status Forward(const PackedBatch& batch, std::span<float> hidden) const override;
  absl::Status Step(KvCache& cache, std::span<const int64_t> slots, std::span<float> hidden) const override;
  std::vector<const Linear*> linears() const override;
  absl::Status SetWeight(const std::string& linear_name, const EncodedTensor& weight) override;

 private:
  enum LinearIndex { kQuery, kKey, kValue, kOutput, kGate, kUp, kDown, kLinears };
  enum SegmentIndex { kQkvSegment, kOutSegment, kGateUpSegment, kDownSegment, kSegments };

  struct Part {
    LinearLayer layer;
    Linear linear;
    // Kept for SetWeight, which makes a new `linear`.
    std::vector<float> bias;
  };
  // Rows [first, first + count) of the batch.
  struct Tile {
    int64_t first = 0;
    int64_t count = 0;
  };
  // Everything one pass over a batch needs besides its activations.
  struct Pass;

  DecoderBlock(const Model& model, int index, const ComputeOptions& options);
  void DescribeLinears();
  absl::Status LoadParameters(const Model& model);
  absl::Status LoadNorms(const Model& model);

  absl::Status CheckBatch(const PackedBatch& batch, size_t hidden_size) const;
  absl::Status CheckShared(const PackedBatch& batch) const;
  absl::StatusOr<Pass> Begin(const PackedBatch& batch) const;
  // Calls run(tile) for all tiles of the batch, on the block's threads.
  template <typename Run>
  absl::Status ForTiles(int64_t tokens, const Run& run) const;

  // Whether the weights are decoded piece by piece for a batch of `tokens` rather than held for it.
  bool DecodesInPieces(int64_t tokens) const;
  // Keeps the weights of linear layers [first, end) in the form that Multiply reads for `tokens` rows; see
  // Linear::Hold.
  absl::StatusOr<std::vector<std::shared_ptr<const void>>> Hold(int first, int end, int64_t tokens) const;
  absl::Status Multiply(LinearIndex linear, const float* x, int64_t rows, bool accumulate, float* y) const;
  // residual += linear(x), through the norm that follows the layer where there is one.
  absl::Status AddOutput(LinearIndex linear, const float* x, int64_t rows, float* residual) const;
  // The parts of Step.
  absl::Status CheckStep(KvCache& cache, std::span<const int64_t> slots, size_t hidden_size) const;
  absl::Status StepAttention(KvCache& cache, std::span<const int64_t> slots, const float* input, float* attended) const;
  absl::Status StepMlp(const float* input, int64_t rows, float* residual) const;
  // AddOutput by the kernels of Step.
  absl::Status AddRowOutput(LinearIndex linear, const float* x, int64_t rows, float* residual) const;
  // Learned positions of rows [first, first + count), added to `hidden`; only the first block has them.
  void AddPositions(const Pass& pass, Tile tile, float* hidden) const;
  // The norm before the feed-forward layer and the attention's output added, in the model's order.
  absl::Status FinishAttention(const float* attended, int64_t rows, float* residual, float* input) const;
  // Norms (where the model has them) and rope of one position's queries and keys. `rope` may be null.
  void RotateRow(const RopeTable* rope, int64_t position, float* query, float* key) const;
  // Everything but where queries and outputs are.
  AttentionTile MakeTile(int64_t first_position, int64_t positions) const;
  // Queries go to `queries` (rows of the tile), keys and values to the pass's cache.
  absl::Status QkvTile(const Pass& pass, Tile tile, const float* input, float* queries) const;
  absl::Status GateUpTile(int64_t rows, const float* input, float* inner) const;
  // Once the queries of all tiles are there.
  absl::Status AttendAll(const Pass& pass, const float* queries, float* attended) const;

  LayerSpec spec_;
  int index_;
  ComputeOptions options_;
  KvFormat kv_format_;
  int64_t width_;
  bool has_rope_;
  std::vector<Segment> segments_;
  std::array<Part, kLinears> parts_;
  Normalization input_norm_, inner_norm_, query_norm_, key_norm_;
  // Of width 0 where nothing is normed after the layers.
  Normalization after_attention_, after_mlp_;
  // Learned positions [rows, width]; empty in all blocks but the first.
  std::vector<float> positions_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_DECODER_BLOCK_H_
