// Steps of training: batches, their losses, AdamW and its schedule, and checkpoints between them.
#ifndef TERSOR_CORE_TRAIN_TRAINER_H_
#define TERSOR_CORE_TRAIN_TRAINER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/train/adam.h"
#include "core/train/schedule.h"
#include "core/train/trained_model.h"

namespace tersor {

struct StepReport {
  // From 1.
  int64_t step = 0;
  // Mean over the step's targets, before the step.
  double loss = 0;
  double learning_rate = 0;
  // Before clipping.
  double gradient_norm = 0;
  int64_t targets = 0;
};

// Thread-compatible.
class Trainer {
 public:
  // Makes the loss of a batch, which outlives it.
  using LossOf = std::function<absl::StatusOr<std::unique_ptr<RowLoss>>(const TrainingBatch& batch)>;

  // `model` must outlive it.
  Trainer(TrainedModel& model, const AdamOptions& adam, const Schedule& schedule);

  // One step over all `batches` together, each target counting alike: the same bits as of one batch that holds them end
  // to end. Where a loss or gradient is not finite the parameters stay as they were, and INVALID_ARGUMENT names the
  // step, and the parameter. After CANCELLED, too, they are those of the last whole step.
  absl::StatusOr<StepReport> Step(std::span<const TrainingBatch> batches, const LossOf& loss_of,
                                  const CancellationToken* cancellation = nullptr);
  int64_t steps() const { return adam_.steps(); }

  // Everything that the next step depends on, as a safetensors file that appears whole or not at all. A run that is
  // restored goes on with the bits of one that was never stopped.
  absl::Status Save(const std::filesystem::path& path) const;
  // INVALID_ARGUMENT where the file is not one of this model and these options.
  absl::Status Restore(const std::filesystem::path& path);

 private:
  TrainedModel& model_;
  Schedule schedule_;
  Adam adam_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_TRAINER_H_
