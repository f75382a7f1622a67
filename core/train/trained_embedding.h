// Token embeddings and learned positions with their backward pass.
#ifndef TERSOR_CORE_TRAIN_TRAINED_EMBEDDING_H_
#define TERSOR_CORE_TRAIN_TRAINED_EMBEDDING_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/model/block.h"
#include "core/model/model.h"
#include "core/train/parameter.h"

namespace tersor {

// Thread-compatible. Gradients of looked-up rows are kept and added by AddGradients, after those that the head adds to
// a tied table: an element's sum has one order however a step is cut into batches.
class TrainedEmbedding {
 public:
  // Tables are trained where `parameters` has them, else read from `model`.
  static absl::StatusOr<TrainedEmbedding> Create(const Model& model, ParameterMap& parameters);

  // Rows of `ids` with their positions -> hidden [tokens, width]. OUT_OF_RANGE for an id or position without a row.
  absl::Status Forward(std::span<const int32_t> ids, const PackedBatch& batch, std::span<float> hidden) const;
  // Keeps the gradient of what Forward gave.
  void Keep(std::span<const int32_t> ids, const PackedBatch& batch, std::span<const float> gradient);
  void AddGradients();
  // Forgets what was kept.
  void Forget();
  // Whether Keep has anything to do.
  bool trained() const { return table_ != nullptr; }

 private:
  struct Lookup {
    int32_t id;
    int64_t position;
  };

  ModelSpec spec_;
  // Its lookups have no gradient; -1: there is none.
  int64_t untrained_id_ = -1;
  EncodedTensorPtr frozen_table_;
  Parameter* table_ = nullptr;
  // Null without learned positions.
  Parameter* positions_ = nullptr;
  std::vector<float> frozen_positions_;
  std::vector<Lookup> lookups_;
  std::vector<float> gradients_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_TRAINED_EMBEDDING_H_
