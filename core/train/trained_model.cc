#include "core/train/trained_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/dense_tensor.h"
#include "core/model/architecture.h"

namespace tersor {
namespace {

std::vector<int64_t> TargetRows(const TrainingBatch& batch) {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < batch.targets.size(); ++i) {
    if (batch.targets[i] >= 0) rows.push_back(static_cast<int64_t>(i));
  }
  return rows;
}

}  // namespace

int64_t TrainingBatch::target_count() const {
  return std::count_if(targets.begin(), targets.end(), [](int32_t target) { return target >= 0; });
}

TrainingBatch NextTokenBatch(std::span<const std::vector<int32_t>> sequences) {
  TrainingBatch batch;
  batch.offsets = {0};
  for (const std::vector<int32_t>& sequence : sequences) {
    batch.ids.insert(batch.ids.end(), sequence.begin(), sequence.end());
    for (size_t i = 1; i < sequence.size(); ++i) batch.targets.push_back(sequence[i]);
    if (!sequence.empty()) batch.targets.push_back(-1);
    batch.offsets.push_back(static_cast<int64_t>(batch.ids.size()));
  }
  return batch;
}

absl::StatusOr<std::unique_ptr<TrainedModel>> TrainedModel::Create(const Model& model,
                                                                   const TrainedModelOptions& options) {
  if (options.train_weights && options.lora) {
    return absl::InvalidArgumentError("training takes either all weights or adapters, not both");
  }
  std::unique_ptr<TrainedModel> trained(new TrainedModel);
  trained->model_ = model;
  trained->options_ = options;
  TERSOR_RETURN_IF_ERROR(trained->AddParameters());
  TERSOR_ASSIGN_OR_RETURN(trained->embedding_, TrainedEmbedding::Create(model, trained->parameters_));
  const auto source_of = [&](const std::string& layer) { return trained->SourceOf(layer); };
  const int blocks = static_cast<int>(model.spec.layers.size());
  for (int i = 0; i < blocks; ++i) {
    TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<TrainedBlock> block,
                            TrainedBlock::Create(model.spec, i, trained->parameters_, source_of, options.compute));
    trained->blocks_.push_back(std::move(block));
  }
  const absl::string_view head_name = model.spec.tied ? kEmbeddingName : kHeadName;
  TrainedLinearSource head;
  head.weight = FindParameter(trained->parameters_, head_name);
  if (head.weight == nullptr) {
    TERSOR_ASSIGN_OR_RETURN(head.frozen, model.Head());
  }
  TERSOR_ASSIGN_OR_RETURN(trained->head_, TrainedHead::Create(model.spec, trained->parameters_, head, options.compute));
  trained->activations_.resize(options.recompute ? 1 : blocks);
  return trained;
}

absl::Status TrainedModel::AddParameters() {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<ParameterSpec> specs, ModelParameters(model_.spec));
  for (const ParameterSpec& spec : specs) {
    if (spec.shape.size() > 1 && !options_.train_weights) continue;
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr tensor, model_.Find(spec.name));
    if (tensor->shape() != spec.shape) {
      return absl::InvalidArgumentError(absl::StrCat("parameter ", spec.name, " has shape ",
                                                     ShapeString(tensor->shape()), ", not ", ShapeString(spec.shape)));
    }
    AddParameter(parameters_, spec.name, tensor->rows(), tensor->Decode(), options_.train_weights);
  }
  if (!options_.lora) return absl::OkStatus();
  TERSOR_ASSIGN_OR_RETURN(adapters_, MakeAdapters(model_.spec, *options_.lora, parameters_));
  return absl::OkStatus();
}

absl::StatusOr<TrainedLinearSource> TrainedModel::SourceOf(const std::string& layer) {
  TrainedLinearSource source;
  source.weight = FindParameter(parameters_, layer + ".weight");
  source.bias = FindParameter(parameters_, layer + ".bias");
  if (source.weight == nullptr) {
    TERSOR_ASSIGN_OR_RETURN(source.frozen, model_.Find(layer + ".weight"));
  }
  if (options_.lora) source.term = FindTerm(adapters_, *options_.lora, layer);
  return source;
}

absl::Status TrainedModel::Refresh() {
  for (const std::unique_ptr<TrainedBlock>& block : blocks_) TERSOR_RETURN_IF_ERROR(block->Refresh());
  head_->Refresh();
  return absl::OkStatus();
}

void TrainedModel::ClearGradients() {
  for (auto& [name, parameter] : parameters_) std::fill(parameter.gradient.begin(), parameter.gradient.end(), 0.0f);
  embedding_.Forget();
}

absl::Status TrainedModel::CheckBatch(const TrainingBatch& batch) const {
  const std::vector<int64_t>& offsets = batch.offsets;
  if (offsets.empty() || offsets.front() != 0 || !std::is_sorted(offsets.begin(), offsets.end()) ||
      offsets.back() != static_cast<int64_t>(batch.ids.size()) || batch.targets.size() != batch.ids.size()) {
    return absl::InvalidArgumentError("a training batch's ids, offsets and targets do not fit together");
  }
  for (const int32_t target : batch.targets) {
    if (target >= -1 && target < model_.spec.vocabulary) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("target ", target, " is outside the vocabulary of ", model_.spec.vocabulary));
  }
  if (batch.target_count() > 0) return absl::OkStatus();
  return absl::InvalidArgumentError("a training batch without a target: nothing can be learned from it");
}

absl::StatusOr<double> TrainedModel::AddGradients(const TrainingBatch& batch, RowLoss& loss, float scale,
                                                  const CancellationToken* cancellation) {
  TERSOR_RETURN_IF_ERROR(CheckBatch(batch));
  const PackedBatch packed = {batch.offsets};
  const size_t size = batch.ids.size() * model_.spec.width;
  std::vector<float> hidden(size), gradient(size);
  // Inputs of the blocks that run again.
  std::vector<std::vector<float>> inputs;
  TERSOR_RETURN_IF_ERROR(embedding_.Forward(batch.ids, packed, hidden));
  for (size_t i = 0; i < blocks_.size(); ++i) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
    if (options_.recompute) inputs.push_back(hidden);
    TERSOR_RETURN_IF_ERROR(blocks_[i]->Forward(packed, hidden, activations_[options_.recompute ? 0 : i]));
  }
  const std::vector<int64_t> rows = TargetRows(batch);
  TERSOR_ASSIGN_OR_RETURN(const double sum, head_->Run(hidden, rows, scale, loss, gradient));
  for (size_t i = blocks_.size(); i-- > 0;) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
    BlockActivations& activations = activations_[options_.recompute ? 0 : i];
    if (options_.recompute) TERSOR_RETURN_IF_ERROR(blocks_[i]->Forward(packed, inputs[i], activations));
    TERSOR_RETURN_IF_ERROR(blocks_[i]->Backward(packed, activations, gradient));
  }
  embedding_.Keep(batch.ids, packed, gradient);
  return sum;
}

absl::StatusOr<std::vector<float>> TrainedModel::Hidden(const TrainingBatch& batch,
                                                        const CancellationToken* cancellation) {
  TERSOR_RETURN_IF_ERROR(CheckBatch(batch));
  const PackedBatch packed = {batch.offsets};
  std::vector<float> hidden(batch.ids.size() * model_.spec.width);
  TERSOR_RETURN_IF_ERROR(embedding_.Forward(batch.ids, packed, hidden));
  for (const std::unique_ptr<TrainedBlock>& block : blocks_) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
    TERSOR_RETURN_IF_ERROR(block->Forward(packed, hidden, activations_[0]));
  }
  return hidden;
}

absl::StatusOr<double> TrainedModel::Loss(const TrainingBatch& batch, RowLoss& loss,
                                          const CancellationToken* cancellation) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<float> hidden, Hidden(batch, cancellation));
  return head_->Run(hidden, TargetRows(batch), 1, loss, {});
}

absl::StatusOr<EncodedTensorPtr> TrainedModel::MergedWeight(const Adapter::Part& part, const Adapter& adapter) const {
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr base, model_.Find(part.layer + ".weight"));
  std::vector<float> values = base->Decode();
  const int64_t rows = base->rows(), columns = base->columns(), rank = adapter.down->rows;
  const double scale = options_.lora->scale();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      double sum = 0;
      for (int64_t k = 0; k < rank; ++k) {
        sum += static_cast<double>(part.up->values[row * rank + k]) * adapter.down->values[k * columns + column];
      }
      values[row * columns + column] += static_cast<float>(scale * sum);
    }
  }
  return DenseTensor::FromFloats(base->shape(), std::move(values));
}

absl::StatusOr<Model> TrainedModel::Merged() const {
  Model merged = model_;
  for (const auto& [name, parameter] : parameters_) {
    const auto found = merged.parameters.find(name);
    if (!parameter.trained() || found == merged.parameters.end()) continue;
    TERSOR_ASSIGN_OR_RETURN(found->second, DenseTensor::FromFloats(found->second->shape(), parameter.values));
  }
  for (const Adapter& adapter : adapters_) {
    for (const Adapter::Part& part : adapter.parts) {
      TERSOR_ASSIGN_OR_RETURN(merged.parameters[part.layer + ".weight"], MergedWeight(part, adapter));
    }
  }
  return merged;
}

}  // namespace tersor
