// Statistics of the dense model's layer inputs during a walk: gathered beside it, or taken from a store.
#ifndef TERSOR_CORE_COMPRESS_DENSE_CALIBRATION_H_
#define TERSOR_CORE_COMPRESS_DENSE_CALIBRATION_H_

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/calibration/input_statistics.h"
#include "core/calibration/statistics_store.h"
#include "core/calibration/token_batches.h"
#include "core/compress/activation_stream.h"
#include "core/model/block.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

// The dense model's way through the blocks, as far as it has to be gone: not at all where the store holds all that is
// wanted and nobody follows. Not thread-safe.
class DenseCalibration {
 public:
  struct Needs {
    // Of every segment's inputs; may be kept for other jobs.
    std::set<Statistic> statistics;
    // Somebody reads the inputs themselves, segment by segment.
    bool follows = false;

    bool any() const { return follows || !statistics.empty(); }
  };
  // All references outlive it; `store` and `cancellation` may be null.
  DenseCalibration(const Model& dense, const CalibrationTokens& calibration, const Needs& needs,
                   const ComputeOptions& compute, StatisticsStore* store, const CancellationToken* cancellation);

  // Whether the model is run, as it stands now.
  bool runs() const { return needs_.follows || (!needs_.statistics.empty() && !stored_); }
  // Before the first block.
  absl::Status Begin();
  // Before block `block`, with the residual stream that an earlier walk had there; empty where it is not known.
  absl::Status Resume(int block, std::span<const float> hidden);

  // Of the inputs of the block's segments; blocks in order. None where none are wanted. `segment_done` is told of each
  // segment that had to be run.
  absl::StatusOr<std::vector<InputStatistics>> Gather(int block, const std::function<void(int segment)>& segment_done);

  // For who follows: the block's segments one by one, once Gather was called for the block.
  absl::Status Enter(int block);
  absl::Status Run(int segment) { return stream_.Run(*block_, segment); }
  void Leave();
  ConstMatrixView inputs() const { return stream_.inputs(); }
  // The residual stream; meaningful where it runs.
  ConstMatrixView hidden() const { return stream_.hidden(); }

 private:
  absl::Status CatchUp(int block);
  absl::Status RunWhole(int block, const std::function<absl::Status(const Segment&)>& at_segment);

  const Model& dense_;
  const CalibrationTokens& calibration_;
  const Needs needs_;
  const ComputeOptions& compute_;
  StatisticsStore* const store_;
  const CancellationToken* const cancellation_;
  bool stored_ = false;
  ActivationStream stream_;
  std::unique_ptr<Block> block_;
};

// Adds the inputs of `segment`; INVALID_ARGUMENT names its first layer where they are not finite.
absl::Status AddSegmentInputs(const Segment& segment, const StatisticsSource& source, int threads,
                              const CancellationToken* cancellation, InputStatistics& statistics);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_DENSE_CALIBRATION_H_
