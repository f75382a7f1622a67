#include "core/compress/block_walk.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compress/walk_progress.h"
#include "core/model/block.h"
#include "core/model/head.h"

namespace tersor {
namespace {

// Tokens that go through a segment together, unless one sequence alone has more: bounds the segment's scratch memory
// and the time between two looks at the cancellation token.
constexpr int64_t kChunkTokens = 1024;

struct Chunk {
  int64_t first_token = 0;
  PackedBatch batch;
};

std::vector<Chunk> SplitIntoChunks(const std::vector<int64_t>& offsets) {
  std::vector<Chunk> chunks;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    const int64_t length = offsets[i + 1] - offsets[i];
    if (chunks.empty() || chunks.back().batch.tokens() + length > kChunkTokens) {
      chunks.push_back({offsets[i], PackedBatch{{0}}});
    }
    chunks.back().batch.offsets.push_back(offsets[i + 1] - chunks.back().first_token);
  }
  return chunks;
}

void Append(SegmentOutcome outcome, BlockRecord& record) {
  std::move(outcome.replacements.begin(), outcome.replacements.end(), std::back_inserter(record.replacements));
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

class BlockWalk {
 public:
  BlockWalk(Model& model, const LayerMethods& methods, const CalibrationTokens& calibration,
            const BlockWalkOptions& options, EventSink& events)
      : model_(model),
        methods_(methods),
        calibration_(calibration),
        options_(options),
        blocks_(static_cast<int>(model.spec.layers.size())),
        calibrated_(std::any_of(methods.begin(), methods.end(),
                                [](const auto& entry) { return !entry.second->statistics().empty(); })),
        chunks_(SplitIntoChunks(calibration.offsets)),
        progress_(options.stage, blocks_, static_cast<int64_t>(calibration.ids.size()), events) {}

  absl::StatusOr<std::vector<BlockRecord>> Run() {
    TERSOR_RETURN_IF_ERROR(Begin());
    for (int b = static_cast<int>(records_.size()); b < blocks_; ++b) {
      BlockRecord record;
      record.block = b;
      TERSOR_RETURN_IF_ERROR(CompressBlock(record));
      Replace(record.replacements, model_);
      if (options_.checkpoint != nullptr) TERSOR_RETURN_IF_ERROR(options_.checkpoint->Save(record, hidden_));
      progress_.BlockDone(record);
      records_.push_back(std::move(record));
    }
    return std::move(records_);
  }

 private:
  // Takes over what the checkpoint has, or embeds the tokens.
  absl::Status Begin() {
    if (calibrated_ && (calibration_.ids.empty() || chunks_.empty())) {
      return absl::InvalidArgumentError("the methods need calibration text, but there are no tokens");
    }
    const size_t values = calibrated_ ? calibration_.ids.size() * model_.spec.width : 0;
    if (options_.checkpoint != nullptr) {
      TERSOR_ASSIGN_OR_RETURN(std::optional<SavedWalk> saved, options_.checkpoint->Load());
      if (saved.has_value()) return TakeOver(*std::move(saved), values);
    }
    hidden_.resize(values);
    return calibrated_ ? Embed(model_, calibration_.ids, hidden_) : absl::OkStatus();
  }

  absl::Status TakeOver(SavedWalk saved, size_t values) {
    if (saved.records.size() > static_cast<size_t>(blocks_) || saved.activations.size() != values) {
      return absl::DataLossError(absl::StrCat("the checkpoint holds ", saved.records.size(), " blocks and ",
                                              saved.activations.size(), " activations; the walk has ", blocks_,
                                              " blocks and ", values, " activations"));
    }
    for (const BlockRecord& record : saved.records) {
      Replace(record.replacements, model_);
      progress_.BlockTakenOver(record);
    }
    records_ = std::move(saved.records);
    hidden_ = std::move(saved.activations);
    return absl::OkStatus();
  }

  absl::Status CompressBlock(BlockRecord& record) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Block> block, Block::Load(model_, record.block, options_.compute));
    const std::vector<Segment>& segments = block->segments();
    if (calibrated_) TERSOR_RETURN_IF_ERROR(Enter(*block, segments[0]));
    for (size_t s = 0; s < segments.size(); ++s) {
      TERSOR_RETURN_IF_ERROR(CompressSegment(segments[s], *block, record));
      const bool last = s + 1 == segments.size();
      if (!calibrated_ || (last && record.block + 1 == blocks_)) continue;
      TERSOR_RETURN_IF_ERROR(RunSegment(*block, static_cast<int>(s), last ? 0 : segments[s + 1].input_width));
      progress_.SegmentDone(record.block, static_cast<double>(s + 1) / static_cast<double>(segments.size()));
    }
    input_.clear();
    return absl::OkStatus();
  }

  absl::Status Enter(const Block& block, const Segment& segment) {
    const int64_t width = model_.spec.width;
    input_.resize(calibration_.ids.size() * segment.input_width);
    input_width_ = segment.input_width;
    for (const Chunk& chunk : chunks_) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
      TERSOR_RETURN_IF_ERROR(block.Enter(chunk.batch, Part(hidden_, chunk, width), Part(input_, chunk, input_width_)));
    }
    return absl::OkStatus();
  }

  absl::Status CompressSegment(const Segment& segment, Block& block, BlockRecord& record) {
    std::map<const Method*, SegmentTask> tasks;
    std::set<Statistic> wanted;
    std::vector<const Method*> order;  // by first layer, so that records do not depend on addresses
    for (const LinearLayer& layer : segment.linears) {
      const auto found = methods_.find(layer.name);
      if (found == methods_.end()) continue;
      const Method* method = found->second;
      wanted.merge(method->statistics());
      if (!tasks.contains(method)) order.push_back(method);
      TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr weight, model_.Find(layer.name + ".weight"));
      tasks[method].layers.push_back({layer, std::move(weight)});
    }
    std::optional<InputStatistics> statistics;
    if (!wanted.empty()) {
      statistics.emplace(segment.input_width, wanted);
      TERSOR_RETURN_IF_ERROR(statistics->Add(
          ConstMatrixView(input_.data(), static_cast<int64_t>(calibration_.ids.size()), segment.input_width),
          options_.compute.threads, options_.cancellation));
    }
    for (const Method* method : order) {
      SegmentTask& task = tasks[method];
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
  absl::Status PutIntoBlock(const SegmentTask& task, const SegmentOutcome& outcome, Block& block) {
    if (!calibrated_) return absl::OkStatus();
    for (const TargetLayer& target : task.layers) {
      for (const TensorReplacement& replacement : outcome.replacements) {
        if (replacement.name != target.layer.name + ".weight" || replacement.tensor == nullptr) continue;
        TERSOR_RETURN_IF_ERROR(block.SetWeight(target.layer.name, *replacement.tensor));
      }
    }
    return absl::OkStatus();
  }

  absl::Status RunSegment(const Block& block, int segment, int64_t next_width) {
    std::vector<float> next(calibration_.ids.size() * next_width);
    for (const Chunk& chunk : chunks_) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
      TERSOR_RETURN_IF_ERROR(block.RunSegment(segment, chunk.batch, Part(input_, chunk, input_width_),
                                              Part(hidden_, chunk, model_.spec.width), Part(next, chunk, next_width)));
    }
    input_ = std::move(next);
    input_width_ = next_width;
    return absl::OkStatus();
  }

  static std::span<float> Part(std::vector<float>& values, const Chunk& chunk, int64_t width) {
    return std::span<float>(values).subspan(chunk.first_token * width, chunk.batch.tokens() * width);
  }

  Model& model_;
  const LayerMethods& methods_;
  const CalibrationTokens& calibration_;
  const BlockWalkOptions& options_;
  const int blocks_;
  const bool calibrated_;
  const std::vector<Chunk> chunks_;
  WalkProgress progress_;
  std::vector<BlockRecord> records_;
  // Of all calibration tokens: the residual stream, and the inputs of the segment at hand.
  std::vector<float> hidden_;
  std::vector<float> input_;
  int64_t input_width_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<BlockRecord>> WalkBlocks(Model& model, const LayerMethods& methods,
                                                    const CalibrationTokens& calibration,
                                                    const BlockWalkOptions& options, EventSink& events) {
  return BlockWalk(model, methods, calibration, options, events).Run();
}

}  // namespace tersor
