#include "core/compress/stage_decisions.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/compress/dense_calibration.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using Json = nlohmann::json;

// Whether the stage has something to decide of.
bool Decides(const WalkStage& stage) { return !stage.layers.empty() && stage.method->decides(); }

absl::StatusOr<std::optional<std::vector<Json>>> Saved(BlockCheckpoint* checkpoint, size_t stages) {
  if (checkpoint == nullptr) return std::nullopt;
  TERSOR_ASSIGN_OR_RETURN(const std::optional<std::string> text, checkpoint->LoadDecisions());
  if (!text.has_value()) return std::nullopt;
  const Json list = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array() || list.size() != stages) {
    return absl::DataLossError("the checkpoint's decisions are damaged or of other stages");
  }
  return std::vector<Json>(list.begin(), list.end());
}

// The stage's part of a block; no layers where it takes none of them.
absl::StatusOr<BlockTask> TaskOf(const Model& dense, const WalkStage& stage, int block) {
  BlockTask task;
  task.block = block;
  task.model = &dense;
  const std::string prefix = absl::StrCat("model.layers.", block, ".");
  for (auto name = stage.layers.lower_bound(prefix); name != stage.layers.end(); ++name) {
    if (!absl::StartsWith(*name, prefix)) break;
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr weight, dense.Find(*name + ".weight"));
    task.layers.push_back({*name, weight->rows(), weight->columns()});
  }
  return task;
}

}  // namespace

absl::StatusOr<std::vector<Json>> DecideStages(const Model& dense, const WalkStages& stages,
                                               const CalibrationTokens& calibration, const BlockWalkOptions& options) {
  std::vector<Json> decisions(stages.size());
  if (std::none_of(stages.begin(), stages.end(), Decides)) return decisions;
  TERSOR_ASSIGN_OR_RETURN(std::optional<std::vector<Json>> saved, Saved(options.checkpoint, stages.size()));
  if (saved.has_value()) return *std::move(saved);
  std::set<Statistic> wanted;
  for (const WalkStage& stage : stages) {
    if (Decides(stage)) wanted.merge(stage.method->analysis_statistics());
  }
  if (!wanted.empty() && calibration.ids.empty()) {
    return absl::InvalidArgumentError("the methods need calibration text, but there are no tokens");
  }
  DenseCalibration pass(dense, calibration, {wanted, /*follows=*/false}, options.compute, options.statistics,
                        options.cancellation);
  TERSOR_RETURN_IF_ERROR(pass.Begin());
  std::vector<std::vector<Json>> analyses(stages.size());
  for (int block = 0; block < static_cast<int>(dense.spec.layers.size()); ++block) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options.cancellation));
    TERSOR_ASSIGN_OR_RETURN(const std::vector<InputStatistics> statistics, pass.Gather(block, [](int) {}));
    for (size_t i = 0; i < stages.size(); ++i) {
      if (!Decides(stages[i])) continue;
      TERSOR_ASSIGN_OR_RETURN(BlockTask task, TaskOf(dense, stages[i], block));
      if (task.layers.empty()) continue;
      task.statistics = &statistics;
      task.threads = options.compute.threads;
      task.cancellation = options.cancellation;
      TERSOR_ASSIGN_OR_RETURN(Json analysis, stages[i].method->Analyze(task));
      analyses[i].push_back(std::move(analysis));
      for (const LinearLayer& layer : task.layers) (*dense.Find(layer.name + ".weight"))->ReleasePages();
    }
  }
  for (size_t i = 0; i < stages.size(); ++i) {
    if (!Decides(stages[i])) continue;
    TERSOR_ASSIGN_OR_RETURN(decisions[i], stages[i].method->Decide(analyses[i]));
  }
  if (options.checkpoint != nullptr) {
    TERSOR_RETURN_IF_ERROR(options.checkpoint->SaveDecisions(Json(decisions).dump()));
  }
  return decisions;
}

}  // namespace tersor
