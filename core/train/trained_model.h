// A model whose loss can be run backwards.
#ifndef TERSOR_CORE_TRAIN_TRAINED_MODEL_H_
#define TERSOR_CORE_TRAIN_TRAINED_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/model/model.h"
#include "core/train/adapter.h"
#include "core/train/row_loss.h"
#include "core/train/trained_block.h"
#include "core/train/trained_embedding.h"
#include "core/train/trained_head.h"

namespace tersor {

// Sequences end to end, and for each token the id that should follow it, or -1 where the loss does not count it.
struct TrainingBatch {
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets;
  std::vector<int32_t> targets;

  int64_t target_count() const;
};

// Sequences whose every next token is a target.
TrainingBatch NextTokenBatch(std::span<const std::vector<int32_t>> sequences);

struct TrainedModelOptions {
  ComputeOptions compute;
  // Every parameter is trained; else only adapters are, on weights as they are stored.
  bool train_weights = true;
  // Not together with train_weights.
  std::optional<LoraOptions> lora = {};
  // Blocks keep their input alone and run a second time before they run backwards: less memory, the same bits.
  bool recompute = false;
};

// Thread-compatible. A step is: AddGradients for each batch, FinishGradients, a change of the parameters (Adam), and
// Refresh. Gradients have the same bits however a step's sequences are cut into batches, on any number of threads.
class TrainedModel {
 public:
  // Copies what it trains; frozen weights are shared with `model`.
  static absl::StatusOr<std::unique_ptr<TrainedModel>> Create(const Model& model, const TrainedModelOptions& options);

  // Those that are trained have gradients; vectors that are frozen stand beside them.
  ParameterMap& parameters() { return parameters_; }
  std::span<const Adapter> adapters() const { return adapters_; }
  const TrainedModelOptions& options() const { return options_; }

  // After the parameters have changed.
  absl::Status Refresh();
  // Adds the gradients of the sum of the batch's losses, times `scale`; returns the sum without it. INVALID_ARGUMENT
  // where the batch has no target or a wrong one.
  absl::StatusOr<double> AddGradients(const TrainingBatch& batch, RowLoss& loss, float scale,
                                      const CancellationToken* cancellation = nullptr);
  // After the last batch of a step.
  void FinishGradients() { embedding_.AddGradients(); }
  void ClearGradients();
  // The sum of the batch's losses.
  absl::StatusOr<double> Loss(const TrainingBatch& batch, RowLoss& loss,
                              const CancellationToken* cancellation = nullptr);
  // Hidden states after the last block [tokens, width].
  absl::StatusOr<std::vector<float>> Hidden(const TrainingBatch& batch, const CancellationToken* cancellation);

  // The model as it is now: trained parameters as float32 values, layers with an adapter as its sum with the weight.
  absl::StatusOr<Model> Merged() const;

 private:
  TrainedModel() = default;
  absl::Status AddParameters();
  absl::StatusOr<TrainedLinearSource> SourceOf(const std::string& layer);
  absl::Status CheckBatch(const TrainingBatch& batch) const;
  absl::StatusOr<EncodedTensorPtr> MergedWeight(const Adapter::Part& part, const Adapter& adapter) const;

  Model model_;
  TrainedModelOptions options_;
  ParameterMap parameters_;
  std::vector<Adapter> adapters_;
  TrainedEmbedding embedding_;
  std::vector<std::unique_ptr<TrainedBlock>> blocks_;
  std::unique_ptr<TrainedHead> head_;
  // One a block, or one for all where blocks run again.
  std::vector<BlockActivations> activations_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_TRAINED_MODEL_H_
