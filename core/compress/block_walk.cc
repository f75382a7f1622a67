#include "core/compress/block_walk.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/compress/activation_stream.h"
#include "core/compress/dense_calibration.h"
#include "core/compress/keep_mask.h"
#include "core/compress/outlier_check.h"
#include "core/compress/quantize/layer_rounding.h"
#include "core/compress/stage_decisions.h"
#include "core/compress/walk_progress.h"
#include "core/model/block.h"
#include "nlohmann/json.hpp"

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

std::string JoinNotes(const std::string& a, const std::string& b) {
  return absl::StrCat(a, a.empty() || b.empty() ? "" : "; ", b);
}

// What is wanted of the model that is being compressed, and what of the dense one.
std::set<Statistic> StatisticsOf(const WalkStages& stages, bool dense) {
  std::set<Statistic> wanted;
  for (const auto& [name, method, layers] : stages) {
    if (layers.empty()) continue;
    if (dense) wanted.merge(method->preparation_statistics());
    if (method->reads_dense_model() == dense) wanted.merge(method->statistics());
  }
  return wanted;
}

// A layer on its way through the stages.
struct LayerPath {
  LinearLayer layer;
  // As the first stage finds it, and as the last one left it; the same where no stage takes the layer.
  EncodedTensorPtr given;
  EncodedTensorPtr weight;
  // Of the last stage; its `stages` are all.
  v1::LayerResult row;
};

// A stage has changed the layer.
absl::Status AddStage(const WalkStage& stage, const SegmentOutcome& outcome, LayerPath& path) {
  for (const TensorReplacement& replacement : outcome.replacements) {
    if (replacement.name != path.layer.name + ".weight" || replacement.tensor == nullptr) continue;
    TERSOR_ASSIGN_OR_RETURN(path.weight, KeepMask(*path.weight, replacement.tensor));
  }
  for (const v1::LayerResult& row : outcome.layers) {
    if (row.name() != path.layer.name) continue;
    const v1::LayerResult before = path.row;
    path.row = row;
    const v1::LayerResult stored =
        DescribeLayer(row.name(), *path.weight, row.relative_error(), JoinNotes(before.note(), row.note()));
    path.row.set_encoding(stored.encoding());
    path.row.set_true_bits(stored.true_bits());
    path.row.set_sparsity(stored.sparsity());
    path.row.set_note(stored.note());
    path.row.set_damping(std::max(before.damping(), row.damping()));
    path.row.set_dead_columns(std::max(before.dead_columns(), row.dead_columns()));
    *path.row.mutable_stages() = before.stages();
    v1::LayerStage& added = *path.row.add_stages();
    added.set_stage(stage.name);
    added.set_relative_error(row.relative_error());
  }
  return absl::OkStatus();
}

class BlockWalk {
 public:
  BlockWalk(Model& model, const Model& dense, const WalkStages& stages, const CalibrationTokens& calibration,
            const BlockWalkOptions& options, EventSink& events)
      : model_(model),
        dense_(dense),
        stages_(stages),
        calibration_(calibration),
        options_(options),
        blocks_(static_cast<int>(model.spec.layers.size())),
        prepares_(std::any_of(stages.begin(), stages.end(),
                              [](const auto& stage) {
                                return !stage.layers.empty() && !stage.method->preparation_statistics().empty();
                              })),
        wanted_(StatisticsOf(stages, /*dense=*/false)),
        needs_{StatisticsOf(stages, /*dense=*/true), wanted_.contains(Statistic::kDenseMoment)},
        stream_(calibration.offsets, model.spec.width, options.cancellation),
        dense_calibration_(dense, calibration, needs_, options.compute, options.statistics, options.cancellation),
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
  // Whether the model that is being compressed is run.
  bool calibrated() const { return !wanted_.empty(); }
  size_t StreamValues() const { return calibration_.ids.size() * model_.spec.width; }

  // Takes over what the checkpoint has, or embeds the tokens.
  absl::Status Begin() {
    TERSOR_ASSIGN_OR_RETURN(decisions_, DecideStages(dense_, stages_, calibration_, options_));
    if ((calibrated() || needs_.any()) && (calibration_.ids.empty() || stream_.tokens() == 0)) {
      return absl::InvalidArgumentError("the methods need calibration text, but there are no tokens");
    }
    if (options_.checkpoint != nullptr) {
      TERSOR_ASSIGN_OR_RETURN(const std::optional<SavedWalk> saved, options_.checkpoint->Load());
      if (saved.has_value()) return TakeOver(*saved);
    }
    if (calibrated()) TERSOR_RETURN_IF_ERROR(stream_.Embed(model_, calibration_.ids));
    TERSOR_RETURN_IF_ERROR(dense_calibration_.Begin());
    const absl::StatusOr<EncodedTensorPtr> embedding = dense_.Find(kEmbeddingName);
    if (embedding.ok()) (*embedding)->ReleasePages();
    return absl::OkStatus();
  }

  absl::Status TakeOver(const SavedWalk& saved) {
    const size_t own = calibrated() ? StreamValues() : 0, all = own + StreamValues();
    const size_t values = saved.activations.size();
    // Whether the dense model ran depended on what was stored then.
    const bool fits = values == own || (needs_.any() && values == all);
    if (saved.records.size() > static_cast<size_t>(blocks_) || !fits) {
      return absl::DataLossError(absl::StrCat("the checkpoint holds ", saved.records.size(), " blocks and ", values,
                                              " activations; the walk has ", blocks_, " blocks and ", own,
                                              " activations"));
    }
    for (const BlockRecord& record : saved.records) {
      Replace(record.replacements, model_);
      progress_.BlockTakenOver(record);
    }
    records_ = saved.records;
    const std::span<const float> activations(saved.activations);
    if (calibrated()) stream_.Restore(activations.first(own));
    return dense_calibration_.Resume(static_cast<int>(records_.size()), activations.subspan(own));
  }

  absl::Status Save(const BlockRecord& record) {
    if (options_.checkpoint == nullptr) return absl::OkStatus();
    std::vector<float> activations;
    const auto add = [&](const float* hidden) {
      activations.insert(activations.end(), hidden, hidden + StreamValues());
    };
    if (calibrated()) add(stream_.hidden().data);
    if (dense_calibration_.runs()) add(dense_calibration_.hidden().data);
    return options_.checkpoint->Save(record, activations);
  }

  absl::Status CompressBlock(BlockRecord& record) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    // The first half of a block's progress, where anything is gathered.
    const auto gathered = [&](int segments) { progress_.SegmentDone(record.block, 0.5 * segments / (segments + 1)); };
    TERSOR_ASSIGN_OR_RETURN(dense_statistics_, dense_calibration_.Gather(record.block, gathered));
    // With what PrepareBlock made of the block; the model itself changes once the block is done.
    std::optional<Model> prepared;
    if (prepares_) {
      prepared = model_;
      TERSOR_RETURN_IF_ERROR(PrepareBlock(*prepared, record));
    }
    const Model& model = prepares_ ? *prepared : model_;
    TERSOR_ASSIGN_OR_RETURN(const std::vector<Segment> segments, Block::Describe(model, record.block));
    // Where nobody reads what it computes, nothing is prepared for that.
    std::unique_ptr<Block> block;
    if (calibrated()) {
      TERSOR_ASSIGN_OR_RETURN(block, Block::Load(model, record.block, options_.compute));
      TERSOR_RETURN_IF_ERROR(stream_.Enter(*block));
    }
    if (needs_.follows) TERSOR_RETURN_IF_ERROR(dense_calibration_.Enter(record.block));
    const int count = static_cast<int>(segments.size());
    for (int s = 0; s < count; ++s) {
      TERSOR_RETURN_IF_ERROR(CompressSegment({s, segments[s]}, model, block.get(), record));
      // Nobody reads what the last block makes of its input.
      const bool unread = s + 1 == count && record.block + 1 == blocks_;
      if (block == nullptr || unread) continue;
      TERSOR_RETURN_IF_ERROR(stream_.Run(*block, s));
      if (needs_.follows) TERSOR_RETURN_IF_ERROR(dense_calibration_.Run(s));
      progress_.SegmentDone(record.block, static_cast<double>(s + 1) / count);
    }
    stream_.DropInputs();
    dense_calibration_.Leave();
    ReleaseWeights(segments);
    return absl::OkStatus();
  }

  // Mapped weights that have been read count as resident memory.
  void ReleaseWeights(const std::vector<Segment>& segments) const {
    for (const Segment& segment : segments) {
      for (const LinearLayer& layer : segment.linears) {
        const absl::StatusOr<EncodedTensorPtr> weight = dense_.Find(layer.name + ".weight");
        if (weight.ok()) (*weight)->ReleasePages();
      }
    }
  }

  // Lets every method that wants to prepare the block do so, in the order of the stages.
  absl::Status PrepareBlock(Model& model, BlockRecord& record) {
    const std::string prefix = absl::StrCat("model.layers.", record.block, ".");
    for (const WalkStage& stage : stages_) {
      if (stage.method->preparation_statistics().empty()) continue;
      BlockTask task;
      for (auto name = stage.layers.lower_bound(prefix); name != stage.layers.end(); ++name) {
        if (!absl::StartsWith(*name, prefix)) break;
        TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr weight, model.Find(*name + ".weight"));
        task.layers.push_back({*name, weight->rows(), weight->columns()});
      }
      if (task.layers.empty()) continue;
      task.block = record.block;
      task.model = &model;
      task.statistics = &dense_statistics_;
      task.threads = options_.compute.threads;
      task.cancellation = options_.cancellation;
      TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome, stage.method->PrepareBlock(task));
      Replace(outcome.replacements, model);
      for (const InputScales& scaled : outcome.input_scales) {
        dense_statistics_[scaled.segment] = dense_statistics_[scaled.segment].DividedBy(scaled.scales);
      }
      Append(std::move(outcome), record);
    }
    return absl::OkStatus();
  }

  struct Place {
    int index;
    const Segment& segment;
  };

  // Of the segment's inputs in the model that is being compressed, as the stages that take its layers want them.
  absl::StatusOr<std::optional<InputStatistics>> GatherStatistics(const Segment& segment) const {
    std::set<Statistic> wanted;
    for (const WalkStage& stage : stages_) {
      const bool takes = std::any_of(segment.linears.begin(), segment.linears.end(),
                                     [&](const LinearLayer& layer) { return stage.layers.contains(layer.name); });
      if (takes && !stage.method->reads_dense_model()) wanted.merge(stage.method->statistics());
    }
    if (wanted.empty()) return std::nullopt;
    std::optional<InputStatistics> statistics;
    statistics.emplace(segment.input_width, wanted);
    const StatisticsSource source{.inputs = stream_.inputs(), .dense_inputs = dense_calibration_.inputs()};
    TERSOR_RETURN_IF_ERROR(
        AddSegmentInputs(segment, source, options_.compute.threads, options_.cancellation, *statistics));
    return statistics;
  }

  // `block` is null where nothing is computed.
  absl::Status CompressSegment(const Place& place, const Model& model, Block* block, BlockRecord& record) {
    std::vector<LayerPath> paths;
    for (const LinearLayer& layer : place.segment.linears) {
      TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr weight, model.Find(layer.name + ".weight"));
      paths.push_back({layer, weight, weight, {}});
    }
    TERSOR_ASSIGN_OR_RETURN(const std::optional<InputStatistics> own, GatherStatistics(place.segment));
    for (const WalkStage& stage : stages_) {
      const InputStatistics* statistics = nullptr;
      if (!stage.method->statistics().empty()) {
        statistics = stage.method->reads_dense_model() ? &dense_statistics_[place.index]
                     : own.has_value()                 ? &*own
                                                       : nullptr;
      }
      TERSOR_RETURN_IF_ERROR(ApplyStage(stage, statistics, paths, record));
    }
    for (LayerPath& path : paths) {
      if (path.row.stages().empty()) continue;
      TERSOR_RETURN_IF_ERROR(FinishLayer(own, path, record));
      if (block != nullptr) TERSOR_RETURN_IF_ERROR(block->SetWeight(path.layer.name, *path.weight));
    }
    return absl::OkStatus();
  }

  // The stage takes its layers of a segment as `paths` have them.
  absl::Status ApplyStage(const WalkStage& stage, const InputStatistics* statistics, std::vector<LayerPath>& paths,
                          BlockRecord& record) const {
    SegmentTask task;
    for (const LayerPath& path : paths) {
      if (stage.layers.contains(path.layer.name)) task.layers.push_back({path.layer, path.weight});
    }
    if (task.layers.empty()) return absl::OkStatus();
    task.statistics = statistics;
    if (stage.method->decides()) task.decision = &decisions_[&stage - stages_.data()];
    task.threads = options_.compute.threads;
    task.cancellation = options_.cancellation;
    std::optional<v1::Warning> outlier = FindInputOutlier(task);
    // Only grids have to span them.
    if (outlier.has_value() && !stage.method->WhyLast().empty()) record.warnings.push_back(*std::move(outlier));
    TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome, stage.method->Apply(task));
    for (LayerPath& path : paths) {
      if (!stage.layers.contains(path.layer.name)) continue;
      TERSOR_RETURN_IF_ERROR(Annotate(AddStage(stage, outcome, path), path.layer.name));
    }
    // Rows and weights of layers are the paths'.
    outcome.layers.clear();
    std::erase_if(outcome.replacements, [&](const TensorReplacement& replacement) {
      return std::any_of(paths.begin(), paths.end(),
                         [&](const LayerPath& path) { return replacement.name == path.layer.name + ".weight"; });
    });
    Append(std::move(outcome), record);
    return absl::OkStatus();
  }

  absl::Status FinishLayer(const std::optional<InputStatistics>& own, LayerPath& path, BlockRecord& record) const {
    if (path.row.stages_size() == 1) {
      path.row.clear_stages();
    } else {
      std::optional<MomentForm> form;
      if (own.has_value() && own->wants(Statistic::kSecondMoment)) form.emplace(own->second_moment());
      path.row.set_relative_error(
          RelativeError(*path.given, *path.weight, form.has_value() ? &*form : nullptr, options_.compute.threads));
    }
    SegmentOutcome outcome;
    outcome.replacements.push_back({path.layer.name + ".weight", path.weight});
    outcome.layers.push_back(path.row);
    Append(std::move(outcome), record);
    return absl::OkStatus();
  }

  Model& model_;
  const Model& dense_;
  const WalkStages& stages_;
  const CalibrationTokens& calibration_;
  const BlockWalkOptions& options_;
  const int blocks_;
  // Whether some method changes a block before its layers are compressed.
  const bool prepares_;
  const std::set<Statistic> wanted_;
  const DenseCalibration::Needs needs_;
  ActivationStream stream_;
  DenseCalibration dense_calibration_;
  // Of each stage.
  std::vector<nlohmann::json> decisions_;
  // Of the block at hand.
  std::vector<InputStatistics> dense_statistics_;
  WalkProgress progress_;
  std::vector<BlockRecord> records_;
};

}  // namespace

absl::StatusOr<std::vector<BlockRecord>> WalkBlocks(Model& model, const Model& dense, const WalkStages& stages,
                                                    const CalibrationTokens& calibration,
                                                    const BlockWalkOptions& options, EventSink& events) {
  return BlockWalk(model, dense, stages, calibration, options, events).Run();
}

}  // namespace tersor
