#include "core/train/trained_embedding.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/model/architecture.h"

namespace tersor {

absl::StatusOr<TrainedEmbedding> TrainedEmbedding::Create(const Model& model, ParameterMap& parameters) {
  TrainedEmbedding embedding;
  embedding.spec_ = model.spec;
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(model.spec.architecture));
  if (!architecture->trains_padding) embedding.untrained_id_ = model.spec.pad_id;
  embedding.table_ = FindParameter(parameters, kEmbeddingName);
  TERSOR_ASSIGN_OR_RETURN(embedding.frozen_table_, model.Find(kEmbeddingName));
  if (embedding.table_ != nullptr) embedding.frozen_table_ = nullptr;
  if (model.spec.position_rows() == 0) return embedding;
  embedding.positions_ = FindParameter(parameters, kPositionsName);
  if (embedding.positions_ != nullptr) return embedding;
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr positions, model.Find(kPositionsName));
  embedding.frozen_positions_ = positions->Decode();
  return embedding;
}

absl::Status TrainedEmbedding::Forward(std::span<const int32_t> ids, const PackedBatch& batch,
                                       std::span<float> hidden) const {
  const int64_t width = spec_.width;
  const float scale = static_cast<float>(spec_.embedding_scale);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= spec_.vocabulary) {
      return absl::OutOfRangeError(
          absl::StrCat("id ", ids[i], " at ", i, " is outside the vocabulary of ", spec_.vocabulary));
    }
    float* const row = hidden.data() + i * width;
    if (table_ == nullptr) {
      frozen_table_->DecodeRows(ids[i], 1, row);
    } else {
      std::copy_n(table_->values.data() + ids[i] * width, width, row);
    }
    for (int64_t k = 0; scale != 1 && k < width; ++k) row[k] *= scale;
  }
  if (spec_.position_rows() == 0) return absl::OkStatus();
  const std::span<const float> positions = positions_ == nullptr ? frozen_positions_ : positions_->values;
  for (int64_t s = 0; s < batch.sequences(); ++s) {
    const int64_t count = batch.offsets[s + 1] - batch.offsets[s];
    if (count > spec_.context_length) {
      return absl::OutOfRangeError(
          absl::StrCat("a sequence of ", count, " tokens: the model has ", spec_.context_length, " learned positions"));
    }
    const float* position = positions.data() + spec_.position_offset * width;
    float* row = hidden.data() + batch.offsets[s] * width;
    for (int64_t k = 0; k < count * width; ++k) row[k] += position[k];
  }
  return absl::OkStatus();
}

void TrainedEmbedding::Keep(std::span<const int32_t> ids, const PackedBatch& batch, std::span<const float> gradient) {
  if (!trained()) return;
  for (int64_t s = 0; s < batch.sequences(); ++s) {
    for (int64_t i = batch.offsets[s]; i < batch.offsets[s + 1]; ++i)
      lookups_.push_back({ids[i], i - batch.offsets[s]});
  }
  gradients_.insert(gradients_.end(), gradient.begin(), gradient.end());
}

void TrainedEmbedding::AddGradients() {
  const int64_t width = spec_.width;
  const float scale = static_cast<float>(spec_.embedding_scale);
  for (size_t i = 0; i < lookups_.size(); ++i) {
    const float* gradient = gradients_.data() + i * width;
    float* row = table_->gradient.data() + lookups_[i].id * width;
    for (int64_t k = 0; lookups_[i].id != untrained_id_ && k < width; ++k) row[k] += scale * gradient[k];
    if (positions_ == nullptr) continue;
    row = positions_->gradient.data() + (lookups_[i].position + spec_.position_offset) * width;
    for (int64_t k = 0; k < width; ++k) row[k] += gradient[k];
  }
  Forget();
}

void TrainedEmbedding::Forget() {
  lookups_.clear();
  gradients_.clear();
}

}  // namespace tersor
