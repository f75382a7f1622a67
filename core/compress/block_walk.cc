#include "core/compress/block_walk.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compress/activation_stream.h"
#include "core/compress/walk_progress.h"
#include "core/model/block.h"

namespace tersor {
namespace {

// The last replacement of a parameter counts: what prepares a block is followed by what compresses it.
void Append(SegmentOutcome outcome, BlockRecord& record) {
  for (TensorReplacement& replacement : outcome.replacements) {
    const auto same = std::find_if(record.replacements.begin(), record.replacements.end(),
                                   [&](const TensorReplacement& r) { return r.name == replacement.name; });
    if (same == record.replacements.end()) {
      record.replacements.push_back(std::move(replacement));
    } else {
      *same = std::move(replacement);
    }
  }
  std::move(outcome.layers.begin(), outcome.layers.end(), std::back_inserter(record.layers));
  std::move(outcome.warnings.begin(), outcome.warnings.end(), std::back_inserter(record.warnings));
}

void Replace(const std::vector<TensorReplacement>& replacements, Model& model) {
  for (const TensorReplacement& replacement : replacements) {
    if (replacement.tensor == nullptr) {
      model.parameters.erase(replacement.name);
    } else {
      model.parameters[replacement.name] = replacement.tensor;
    }
  }
}

std::set<Statistic> StatisticsOf(const LayerMethods& methods) {
  std::set<Statistic> wanted;
  for (const auto& [layer, method] : methods) {
    wanted.merge(method->statistics());
    wanted.merge(method->preparation_statistics());
  }
  return wanted;
}

class BlockWalk {
 public:
  BlockWalk(Model& model, const Model& dense, const LayerMethods& methods, const CalibrationTokens& calibration,
            const BlockWalkOptions& options, EventSink& events)
      : model_(model),
        dense_(dense),
        methods_(methods),
        calibration_(calibration),
        options_(options),
        blocks_(static_cast<int>(model.spec.layers.size())),
        wanted_(StatisticsOf(methods)),
        stream_(calibration.offsets, model.spec.width, options.cancellation),
        dense_stream_(calibration.offsets, model.spec.width, options.cancellation),
        progress_(options.stage, blocks_, static_cast<int64_t>(calibration.ids.size()), events) {}

  absl::StatusOr<std::vector<BlockRecord>> Run() {
    TERSOR_RETURN_IF_ERROR(Begin());
    for (int b = static_cast<int>(records_.size()); b < blocks_; ++b) {
      BlockRecord record;
      record.block = b;
      TERSOR_RETURN_IF_ERROR(CompressBlock(record));
      Replace(record.replacements, model_);
      TERSOR_RETURN_IF_ERROR(Save(record));
      progress_.BlockDone(record);
      records_.push_back(std::move(record));
    }
    return std::move(records_);
  }

 private:
  bool calibrated() const { return !wanted_.empty(); }
  bool follows_dense() const { return wanted_.contains(Statistic::kDenseMoment); }
  size_t StreamValues() const { return calibrated() ? calibration_.ids.size() * model_.spec.width : 0; }

  // Takes over what the checkpoint has, or embeds the tokens.
  absl::Status Begin() {
    if (calibrated() && (calibration_.ids.empty() || stream_.tokens() == 0)) {
      return absl::InvalidArgumentError("the methods need calibration text, but there are no tokens");
    }
    if (options_.checkpoint != nullptr) {
      TERSOR_ASSIGN_OR_RETURN(const std::optional<SavedWalk> saved, options_.checkpoint->Load());
      if (saved.has_value()) return TakeOver(*saved);
    }
    if (calibrated()) TERSOR_RETURN_IF_ERROR(stream_.Embed(model_, calibration_.ids));
    if (follows_dense()) TERSOR_RETURN_IF_ERROR(dense_stream_.Embed(dense_, calibration_.ids));
    const absl::StatusOr<EncodedTensorPtr> embedding = dense_.Find(kEmbeddingName);
    if (embedding.ok()) (*embedding)->ReleasePages();
    return absl::OkStatus();
  }

  absl::Status TakeOver(const SavedWalk& saved) {
    const size_t values = StreamValues() * (follows_dense() ? 2 : 1);
    if (saved.records.size() > static_cast<size_t>(blocks_) || saved.activations.size() != values) {
      return absl::DataLossError(absl::StrCat("the checkpoint holds ", saved.records.size(), " blocks and ",
                                              saved.activations.size(), " activations; the walk has ", blocks_,
                                              " blocks and ", values, " activations"));
    }
    for (const BlockRecord& record : saved.records) {
      Replace(record.replacements, model_);
      progress_.BlockTakenOver(record);
    }
    records_ = saved.records;
    const std::span<const float> activations(saved.activations);
    if (calibrated()) stream_.Restore(activations.first(StreamValues()));
    if (follows_dense()) dense_stream_.Restore(activations.last(StreamValues()));
    return absl::OkStatus();
  }

  absl::Status Save(const BlockRecord& record) {
    if (options_.checkpoint == nullptr) return absl::OkStatus();
    const float* hidden = stream_.hidden().data;
    if (!follows_dense()) return options_.checkpoint->Save(record, {hidden, StreamValues()});
    std::vector<float> both(hidden, hidden + StreamValues());
    both.insert(both.end(), dense_stream_.hidden().data, dense_stream_.hidden().data + StreamValues());
    return options_.checkpoint->Save(record, both);
  }

  absl::Status CompressBlock(BlockRecord& record) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    // With what PrepareBlock made of the block; the model itself changes once the block is done.
    Model model = model_;
    TERSOR_RETURN_IF_ERROR(PrepareBlock(model, record));
    TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Block> block, Block::Load(model, record.block, options_.compute));
    std::unique_ptr<const Block> dense_block;
    if (follows_dense()) {
      TERSOR_ASSIGN_OR_RETURN(dense_block, Block::Load(dense_, record.block, options_.compute));
      TERSOR_RETURN_IF_ERROR(dense_stream_.Enter(*dense_block));
    }
    if (calibrated()) TERSOR_RETURN_IF_ERROR(stream_.Enter(*block));
    const int segments = static_cast<int>(block->segments().size());
    for (int s = 0; s < segments; ++s) {
      TERSOR_RETURN_IF_ERROR(CompressSegment(s, model, *block, record));
      // Nobody reads what the last block makes of its input.
      const bool unread = s + 1 == segments && record.block + 1 == blocks_;
      if (!calibrated() || unread) continue;
      TERSOR_RETURN_IF_ERROR(stream_.Run(*block, s));
      if (follows_dense()) TERSOR_RETURN_IF_ERROR(dense_stream_.Run(*dense_block, s));
      progress_.SegmentDone(record.block, static_cast<double>(s + 1) / segments);
    }
    stream_.DropInputs();
    dense_stream_.DropInputs();
    ReleaseWeights(*block);
    return absl::OkStatus();
  }

  // Mapped weights that have been read count as resident memory.
  void ReleaseWeights(const Block& block) const {
    for (const Segment& segment : block.segments()) {
      for (const LinearLayer& layer : segment.linears) {
        const absl::StatusOr<EncodedTensorPtr> weight = dense_.Find(layer.name + ".weight");
        if (weight.ok()) (*weight)->ReleasePages();
      }
    }
  }

  // Lets every method that wants to prepare the block do so.
  absl::Status PrepareBlock(Model& model, BlockRecord& record) {
    std::map<const Method*, BlockTask> tasks;
    std::set<Statistic> wanted;
    TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Block> block, PreparedBlock(model, record.block, tasks, wanted));
    if (tasks.empty()) return absl::OkStatus();
    const std::vector<float> hidden(stream_.hidden().data, stream_.hidden().data + StreamValues());
    TERSOR_RETURN_IF_ERROR(stream_.Enter(*block));
    std::vector<InputStatistics> statistics;
    const int segments = static_cast<int>(block->segments().size());
    for (int s = 0; s < segments; ++s) {
      const Segment& segment = block->segments()[s];
      statistics.emplace_back(segment.input_width, wanted);
      TERSOR_RETURN_IF_ERROR(AddInputs(segment, statistics.back()));
      if (s + 1 < segments) TERSOR_RETURN_IF_ERROR(stream_.Run(*block, s));
    }
    stream_.DropInputs();
    stream_.Restore(hidden);
    for (const LinearLayer& layer : LayersOf(*block)) {
      const auto found = methods_.find(layer.name);
      const auto task = found == methods_.end() ? tasks.end() : tasks.find(found->second);
      // A method's first layer says when its turn comes.
      if (task == tasks.end() || task->second.statistics != nullptr) continue;
      task->second.statistics = &statistics;
      TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome, task->first->PrepareBlock(task->second));
      Replace(outcome.replacements, model);
      Append(std::move(outcome), record);
    }
    return absl::OkStatus();
  }

  static std::vector<LinearLayer> LayersOf(const Block& block) {
    std::vector<LinearLayer> layers;
    for (const Segment& segment : block.segments()) {
      layers.insert(layers.end(), segment.linears.begin(), segment.linears.end());
    }
    return layers;
  }

  // The block, and a task for each method that prepares it; null where there is none.
  absl::StatusOr<std::unique_ptr<Block>> PreparedBlock(const Model& model, int index,
                                                       std::map<const Method*, BlockTask>& tasks,
                                                       std::set<Statistic>& wanted) const {
    const bool any = std::any_of(methods_.begin(), methods_.end(),
                                 [](const auto& entry) { return !entry.second->preparation_statistics().empty(); });
    if (!any) return nullptr;
    TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<Block> block, Block::Load(model, index, options_.compute));
    for (const LinearLayer& layer : LayersOf(*block)) {
      const auto found = methods_.find(layer.name);
      if (found == methods_.end() || found->second->preparation_statistics().empty()) continue;
      wanted.merge(found->second->preparation_statistics());
      BlockTask& task = tasks[found->second];
      task.block = index;
      task.model = &model;
      task.layers.push_back(layer);
      task.threads = options_.compute.threads;
      task.cancellation = options_.cancellation;
    }
    return block;
  }

  absl::Status AddInputs(const Segment& segment, InputStatistics& statistics) const {
    const StatisticsSource source{.inputs = stream_.inputs(), .dense_inputs = dense_stream_.inputs()};
    const absl::Status status = statistics.Add(source, options_.compute.threads, options_.cancellation);
    if (!absl::IsInvalidArgument(status)) return status;
    return Annotate(status, absl::StrCat("inputs of ", segment.linears.front().name));
  }

  // The layers of a segment, by method, in the order of their first layers.
  absl::StatusOr<std::vector<std::pair<const Method*, SegmentTask>>> MakeTasks(const Segment& segment,
                                                                               const Model& model) const {
    std::vector<std::pair<const Method*, SegmentTask>> tasks;
    for (const LinearLayer& layer : segment.linears) {
      const auto found = methods_.find(layer.name);
      if (found == methods_.end()) continue;
      TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr weight, model.Find(layer.name + ".weight"));
      auto task = std::find_if(tasks.begin(), tasks.end(), [&](const auto& t) { return t.first == found->second; });
      if (task == tasks.end()) task = tasks.insert(task, {found->second, SegmentTask{}});
      task->second.layers.push_back({layer, std::move(weight)});
    }
    return tasks;
  }

  absl::Status CompressSegment(int index, const Model& model, Block& block, BlockRecord& record) {
    const Segment& segment = block.segments()[index];
    TERSOR_ASSIGN_OR_RETURN(auto tasks, MakeTasks(segment, model));
    std::set<Statistic> wanted;
    for (const auto& [method, task] : tasks) wanted.merge(method->statistics());
    std::optional<InputStatistics> statistics;
    if (!wanted.empty()) {
      statistics.emplace(segment.input_width, wanted);
      TERSOR_RETURN_IF_ERROR(AddInputs(segment, *statistics));
    }
    for (auto& [method, task] : tasks) {
      task.statistics = statistics.has_value() ? &*statistics : nullptr;
      task.threads = options_.compute.threads;
      task.cancellation = options_.cancellation;
      TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome, method->Apply(task));
      TERSOR_RETURN_IF_ERROR(PutIntoBlock(task, outcome, block));
      Append(std::move(outcome), record);
    }
    return absl::OkStatus();
  }

  // The rest of the block runs on what the segment's layers have become.
  absl::Status PutIntoBlock(const SegmentTask& task, const SegmentOutcome& outcome, Block& block) const {
    if (!calibrated()) return absl::OkStatus();
    for (const TargetLayer& target : task.layers) {
      for (const TensorReplacement& replacement : outcome.replacements) {
        if (replacement.name != target.layer.name + ".weight" || replacement.tensor == nullptr) continue;
        TERSOR_RETURN_IF_ERROR(block.SetWeight(target.layer.name, *replacement.tensor));
      }
    }
    return absl::OkStatus();
  }

  Model& model_;
  const Model& dense_;
  const LayerMethods& methods_;
  const CalibrationTokens& calibration_;
  const BlockWalkOptions& options_;
  const int blocks_;
  const std::set<Statistic> wanted_;
  ActivationStream stream_;
  // Runs beside the other where a method compares with the dense model.
  ActivationStream dense_stream_;
  WalkProgress progress_;
  std::vector<BlockRecord> records_;
};

}  // namespace

absl::StatusOr<std::vector<BlockRecord>> WalkBlocks(Model& model, const Model& dense, const LayerMethods& methods,
                                                    const CalibrationTokens& calibration,
                                                    const BlockWalkOptions& options, EventSink& events) {
  return BlockWalk(model, dense, methods, calibration, options, events).Run();
}

}  // namespace tersor
