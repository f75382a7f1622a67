#include "core/compress/compression_estimate.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/kernels/grid_rounding.h"
#include "core/kernels/outer_products.h"

namespace tersor {
namespace {

// What a slow AVX2 core does; faster ones finish earlier than planned.
constexpr double kOperationsPerSecond = 25e9;
// A weight is decoded, looked at, rounded, packed and compared, whatever the method computes beside it.
constexpr double kOperationsPerWeight = 800;
// A block's checkpoint is written and made durable, with the calibration tokens' hidden states.
constexpr double kSecondsPerBlock = 0.1, kDiskBytesPerSecond = 100e6;
// A block's checkpoint beside its tensors: their names and fields, and the report's rows.
constexpr int64_t kCheckpointTextBytes = int64_t{64} << 10;
// Tokens that go through a segment, or into second moments, together (activation_stream.cc, input_statistics.cc).
constexpr int64_t kChunkTokens = 1024;
// What allocators keep of what comes and goes: half of it again.
constexpr double kAllocatorShare = 0.5;
// Arrays of a panel of rows that a thread rounds.
constexpr int64_t kPanelArrays = 10;

constexpr int64_t kFloat = sizeof(float);

// Layers that read the same inputs, as far as names and shapes tell: what a segment's statistics are gathered for.
struct SegmentCosts {
  int64_t inputs = 0;
  int64_t largest_weight = 0;
  // The largest LayerCost::scratch_bytes, and the sum of LayerCost::kept_bytes.
  int64_t scratch_bytes = 0, kept_bytes = 0;
  std::set<Statistic> own, dense;
};

// By block ("model.layers.0.") and by what their layers' names begin with, and their inputs.
using Segments = std::map<std::string, std::map<std::pair<std::string, int64_t>, SegmentCosts>>;

Segments SegmentsOf(const std::vector<ResolvedStage>& stages) {
  Segments blocks;
  for (const ResolvedStage& stage : stages) {
    const std::set<Statistic> wanted = stage.method->statistics(), prepared = stage.method->preparation_statistics();
    for (const LinearLayer& layer : stage.layers) {
      const std::string part = layer.name.substr(0, layer.name.rfind('.')), block = part.substr(0, part.rfind('.'));
      SegmentCosts& segment = blocks[block][{part, layer.inputs}];
      const LayerCost cost = stage.method->Cost(layer);
      segment.inputs = layer.inputs;
      segment.largest_weight = std::max(segment.largest_weight, layer.inputs * layer.outputs);
      segment.scratch_bytes = std::max(segment.scratch_bytes, cost.scratch_bytes);
      segment.kept_bytes += cost.kept_bytes;
      (stage.method->reads_dense_model() ? segment.dense : segment.own).insert(wanted.begin(), wanted.end());
      segment.dense.insert(prepared.begin(), prepared.end());
    }
  }
  return blocks;
}

class WalkCosts {
 public:
  WalkCosts(const Model& model, const std::vector<ResolvedStage>& stages, const CalibrationSize& calibration,
            const ComputeOptions& options)
      : model_(model), stages_(stages), calibration_(calibration), options_(options), blocks_(SegmentsOf(stages)) {
    for (const auto& [name, parameter] : model.parameters) {
      const bool embedding = name == kEmbeddingName || name == kHeadName;
      (embedding ? embedding_bytes_ : block_bytes_) += static_cast<int64_t>(parameter->byte_size());
      if (!embedding) block_elements_ += parameter->elements();
    }
    for (const ResolvedStage& stage : stages) {
      if (stage.layers.empty()) continue;
      const std::set<Statistic> wanted = stage.method->statistics();
      const bool prepares = !stage.method->preparation_statistics().empty();
      const bool dense = stage.method->reads_dense_model();
      own_ = own_ || (!dense && !wanted.empty());
      dense_ = dense_ || prepares || (dense && !wanted.empty());
      follows_ = follows_ || wanted.contains(Statistic::kDenseMoment);
      prepares_ = prepares_ || prepares;
    }
  }

  WalkEstimate Estimate() const {
    return {.seconds = Seconds(), .peak_memory_bytes = PeakBytes(), .scratch_bytes = ScratchBytes()};
  }

 private:
  int64_t block_count() const { return std::max<int64_t>(static_cast<int64_t>(model_.spec.layers.size()), 1); }
  int64_t streams() const { return (own_ ? 1 : 0) + (dense_ || follows_ ? 1 : 0); }
  int64_t HiddenBytes() const { return calibration_.tokens * model_.spec.width * kFloat; }

  int64_t HeadBytes() const {
    uint64_t bytes = 0;
    for (const ResolvedStage& stage : stages_) {
      if (!stage.head.has_value()) continue;
      for (const auto& [name, encoding] : HeadEncodings(model_, *stage.head)) bytes += encoding.bytes;
    }
    return static_cast<int64_t>(bytes);
  }

  // What the stages make of the blocks' weights.
  int64_t LayerBytes() const {
    uint64_t bytes = 0;
    for (const auto& [layer, encoding] : LayerEncodings(model_, stages_)) bytes += encoding.bytes;
    return static_cast<int64_t>(bytes);
  }

  // One pass of a model over the calibration text; attention sees half of the square below the diagonal.
  double ForwardOperations() const {
    double operations = 2.0 * static_cast<double>(block_elements_);
    for (const LayerSpec& layer : model_.spec.layers) {
      operations += 2.0 * static_cast<double>(calibration_.longest) * layer.attention.heads * layer.attention.head_size;
    }
    return operations * static_cast<double>(calibration_.tokens);
  }

  double StatisticsOperations(const std::set<Statistic>& wanted, int64_t inputs) const {
    const double width = static_cast<double>(inputs), tokens = static_cast<double>(calibration_.tokens);
    double operations = 10 * width * static_cast<double>(wanted.size());
    // Of X^T X half of the products.
    if (wanted.contains(Statistic::kSecondMoment)) operations += width * width;
    if (wanted.contains(Statistic::kDenseMoment)) operations += 2 * width * width;
    return operations * tokens;
  }

  double Seconds() const {
    const int passes = (own_ ? 1 : 0) + (dense_ ? 1 : 0) + (follows_ ? 1 : 0);
    double operations = passes * ForwardOperations(), serial = 0;
    for (const ResolvedStage& stage : stages_) {
      for (const LinearLayer& layer : stage.layers) {
        const LayerCost cost = stage.method->Cost(layer);
        operations += cost.operations + kOperationsPerWeight * static_cast<double>(layer.inputs * layer.outputs);
        serial += cost.serial_operations;
      }
      if (stage.head.has_value()) {
        operations += kOperationsPerWeight * static_cast<double>(model_.spec.vocabulary * model_.spec.width);
      }
    }
    for (const auto& [block, segments] : blocks_) {
      for (const auto& [key, segment] : segments) {
        operations += StatisticsOperations(segment.own, segment.inputs);
        operations += StatisticsOperations(segment.dense, segment.inputs);
      }
    }
    const double blocks = static_cast<double>(block_count());
    const double written = static_cast<double>(LayerBytes()) + blocks * static_cast<double>(streams() * HiddenBytes());
    return (operations / std::max(options_.threads, 1) + serial) / kOperationsPerSecond + blocks * kSecondsPerBlock +
           written / kDiskBytesPerSecond;
  }

  // The residual stream, and the inputs of a segment and of the next.
  int64_t StreamBytes() const {
    int64_t widest = 0;
    for (const LayerSpec& layer : model_.spec.layers) {
      widest = std::max<int64_t>({widest, layer.inner_width, layer.attention.heads * layer.attention.head_size});
    }
    return 2 * HiddenBytes() + calibration_.tokens * widest * kFloat;
  }

  // What layers make of a chunk of tokens before the next segment's inputs come of it.
  int64_t ChunkBytes() const {
    int64_t widest = 0;
    for (const LayerSpec& layer : model_.spec.layers) {
      const int64_t heads = layer.attention.heads + 2 * layer.attention.kv_heads;
      widest =
          std::max<int64_t>(widest, heads * layer.attention.head_size + layer.inner_matrices() * layer.inner_width);
    }
    return std::min(calibration_.tokens, std::max(kChunkTokens, calibration_.longest)) * widest * kFloat;
  }

  // The matrices among the statistics.
  static int64_t Moments(const std::set<Statistic>& wanted) {
    return (wanted.contains(Statistic::kSecondMoment) ? 1 : 0) + (wanted.contains(Statistic::kDenseMoment) ? 1 : 0);
  }
  static int64_t MomentBytes(const std::set<Statistic>& wanted, int64_t inputs) {
    const int64_t padded = (inputs + kPanelColumns - 1) / kPanelColumns * kPanelColumns;
    return Moments(wanted) * padded * padded * kFloat;
  }

  // What a block's segments need while it is compressed, as it comes and goes.
  int64_t BlockBytes(const std::map<std::pair<std::string, int64_t>, SegmentCosts>& segments) const {
    int64_t widest_segment = 0, dense_moments = 0, largest_dense = 0, largest_weight = 0;
    for (const auto& [key, segment] : segments) {
      // Inputs cut into panels; those of both models where they are multiplied with each other.
      const int64_t cut = std::max(Moments(segment.own), Moments(segment.dense)) *
                          std::min(calibration_.tokens, kChunkTokens) * segment.inputs * kFloat;
      const int64_t panels = options_.threads * segment.inputs * kPanelRows * kFloat * kPanelArrays;
      widest_segment = std::max(widest_segment, MomentBytes(segment.own, segment.inputs) + cut + segment.scratch_bytes +
                                                    segment.kept_bytes + panels + segment.largest_weight * kFloat);
      largest_weight = std::max(largest_weight, segment.largest_weight);
      const int64_t dense = MomentBytes(segment.dense, segment.inputs);
      dense_moments += dense;
      largest_dense = std::max(largest_dense, dense);
    }
    const int64_t floats = block_elements_ / block_count() * kFloat;
    // As the matmul library wants them, in three bf16 terms at most, of the dense model beside where it follows; scaled
    // ones until they are rounded.
    const int64_t weights = floats / 2 * 3 * (1 + (follows_ ? 1 : 0)) + floats * (prepares_ ? 1 : 0);
    // Before the first segment each thread prepares a matrix: its floats, and what they are split into.
    constexpr int64_t kPreparedBytes = kFloat + 6;
    widest_segment = std::max(widest_segment, options_.threads * largest_weight * kPreparedBytes);
    // Statistics on their way into files, or divided by scales, stand twice.
    return weights + widest_segment + dense_moments + largest_dense + block_bytes_ / block_count();
  }

  int64_t PeakBytes() const {
    int64_t block = 0;
    for (const auto& [name, segments] : blocks_) block = std::max(block, BlockBytes(segments));
    if (streams() > 0) block += ChunkBytes();
    // Hidden states on their way into the checkpoint, once a block has gone.
    const int64_t saved = 3 * streams() * HiddenBytes();
    const int64_t passing = std::max(block, saved);
    // New weights stay until the container is written.
    const int64_t kept =
        LayerBytes() + HeadBytes() + streams() * StreamBytes() + (dense_ && follows_ ? HiddenBytes() : 0);
    const int64_t walk = kept + passing + static_cast<int64_t>(kAllocatorShare * static_cast<double>(passing));
    // Before the blocks the head is rounded, then tokens are embedded.
    int64_t scratch = streams() * HiddenBytes();
    for (const ResolvedStage& stage : stages_) {
      if (stage.head.has_value()) scratch = std::max(scratch, HeadScratchBytes(model_, *stage.head));
    }
    return std::max(walk, HeadBytes() + embedding_bytes_ + scratch);
  }

  // Every block's new tensors, and the hidden states of each stream twice while the newer replace the older. Norms, and
  // what is scaled beside the layers, are floats.
  int64_t ScratchBytes() const {
    if (stages_.empty()) return 0;
    int64_t scaled = 0;
    for (const auto& [name, bytes] : ScaledParameters(model_, stages_)) scaled += static_cast<int64_t>(bytes);
    return LayerBytes() + scaled + 2 * streams() * HiddenBytes() + block_count() * kCheckpointTextBytes;
  }

  const Model& model_;
  const std::vector<ResolvedStage>& stages_;
  const CalibrationSize& calibration_;
  const ComputeOptions& options_;
  const Segments blocks_;
  // As the source has them.
  int64_t block_bytes_ = 0, embedding_bytes_ = 0, block_elements_ = 0;
  // Whether the model that is being compressed is run, the dense one before it, and the dense one beside it.
  bool own_ = false, dense_ = false, follows_ = false;
  bool prepares_ = false;
};

}  // namespace

WalkEstimate EstimateWalk(const Model& model, const std::vector<ResolvedStage>& stages,
                          const CalibrationSize& calibration, const ComputeOptions& options) {
  return WalkCosts(model, stages, calibration, options).Estimate();
}

}  // namespace tersor
