#include "core/train/trainer.h"

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/formats/safetensors.h"

namespace tersor {
namespace {

// Kinds of a checkpoint's tensors; the parameter's name follows.
constexpr absl::string_view kValues = "values/", kFirst = "first/", kSecond = "second/";
constexpr const char* kSteps = "steps";

using Vectors = std::map<std::string, std::span<const float>>;

absl::StatusOr<std::vector<float>> FloatsOf(const Safetensors& file, const std::string& name, size_t size) {
  TERSOR_ASSIGN_OR_RETURN(const Tensor tensor, file.Find(name));
  if (tensor.dtype() != DType::kF32 || tensor.elements() != static_cast<int64_t>(size)) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint tensor ", name, " is not ", size, " floats"));
  }
  std::vector<float> values(size);
  TERSOR_RETURN_IF_ERROR(DecodeToFloat(tensor, 0, static_cast<int64_t>(size), values.data()));
  return values;
}

}  // namespace

Trainer::Trainer(TrainedModel& model, const AdamOptions& adam, const Schedule& schedule)
    : model_(model), schedule_(schedule), adam_(adam, model.parameters(), model.options().compute.threads) {}

absl::StatusOr<StepReport> Trainer::Step(std::span<const TrainingBatch> batches, const LossOf& loss_of,
                                         const CancellationToken* cancellation) {
  StepReport report;
  report.step = adam_.steps() + 1;
  for (const TrainingBatch& batch : batches) report.targets += batch.target_count();
  if (report.targets == 0) {
    return absl::InvalidArgumentError(absl::StrCat("step ", report.step, " has no target to learn from"));
  }
  model_.ClearGradients();
  double sum = 0;
  for (const TrainingBatch& batch : batches) {
    // One whose tokens are all ignored adds nothing.
    if (batch.target_count() == 0) continue;
    TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<RowLoss> loss, loss_of(batch));
    TERSOR_ASSIGN_OR_RETURN(const double part,
                            model_.AddGradients(batch, *loss, static_cast<float>(1.0 / report.targets), cancellation));
    sum += part;
  }
  model_.FinishGradients();
  report.loss = sum / static_cast<double>(report.targets);
  if (!std::isfinite(report.loss)) {
    return absl::InvalidArgumentError(absl::StrCat("step ", report.step, ": the loss is not finite (", report.loss,
                                                   "); a lower learning rate may help"));
  }
  report.learning_rate = schedule_.RateAt(adam_.steps());
  absl::StatusOr<double> norm = adam_.Step(report.learning_rate);
  if (!norm.ok()) return Annotate(norm.status(), absl::StrCat("step ", report.step));
  report.gradient_norm = *norm;
  TERSOR_RETURN_IF_ERROR(model_.Refresh());
  return report;
}

absl::Status Trainer::Save(const std::filesystem::path& path) const {
  Vectors vectors;
  for (const auto& [name, moments] : adam_.moments()) {
    vectors[absl::StrCat(kFirst, name)] = moments.first;
    vectors[absl::StrCat(kSecond, name)] = moments.second;
    vectors[absl::StrCat(kValues, name)] = model_.parameters().find(name)->second.values;
  }
  std::vector<TensorDeclaration> declarations;
  for (const auto& [name, values] : vectors) {
    declarations.push_back({name, DType::kF32, {static_cast<int64_t>(values.size())}});
  }
  TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(declarations),
                                                                              {{kSteps, absl::StrCat(adam_.steps())}}));
  for (const TensorDeclaration& declaration : writer.order()) {
    TERSOR_RETURN_IF_ERROR(writer.Append(std::as_bytes(vectors.at(declaration.name))));
  }
  return writer.Finish();
}

absl::Status Trainer::Restore(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(const Safetensors file, ReadSafetensors(path));
  const auto found = file.metadata.find(kSteps);
  int64_t steps = 0;
  if (found == file.metadata.end() || !absl::SimpleAtoi(found->second, &steps) || steps < 0 ||
      file.tensors.size() != 3 * adam_.moments().size()) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), " is no checkpoint of this training"));
  }
  std::map<std::string, Adam::Moments> moments;
  std::map<std::string, std::vector<float>> values;
  for (const auto& [name, own] : adam_.moments()) {
    const size_t size = own.first.size();
    TERSOR_ASSIGN_OR_RETURN(moments[name].first, FloatsOf(file, absl::StrCat(kFirst, name), size));
    TERSOR_ASSIGN_OR_RETURN(moments[name].second, FloatsOf(file, absl::StrCat(kSecond, name), size));
    TERSOR_ASSIGN_OR_RETURN(values[name], FloatsOf(file, absl::StrCat(kValues, name), size));
  }
  TERSOR_RETURN_IF_ERROR(adam_.Restore(std::move(moments), steps));
  for (auto& [name, restored] : values) model_.parameters().find(name)->second.values = std::move(restored);
  return model_.Refresh();
}

}  // namespace tersor
