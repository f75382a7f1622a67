#include "core/compress/dense_calibration.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

DenseCalibration::DenseCalibration(const Model& dense, const CalibrationTokens& calibration, const Needs& needs,
                                   const ComputeOptions& compute, StatisticsStore* store,
                                   const CancellationToken* cancellation)
    : dense_(dense),
      calibration_(calibration),
      needs_(needs),
      compute_(compute),
      store_(store),
      cancellation_(cancellation),
      stored_(store != nullptr && store->Holds(static_cast<int>(dense.spec.layers.size()), needs.statistics)),
      stream_(calibration.offsets, dense.spec.width, cancellation) {}

absl::Status DenseCalibration::Begin() { return runs() ? stream_.Embed(dense_, calibration_.ids) : absl::OkStatus(); }

absl::Status DenseCalibration::Resume(int block, std::span<const float> hidden) {
  if (!runs()) return absl::OkStatus();
  if (hidden.empty()) return CatchUp(block);
  stream_.Restore(hidden);
  return absl::OkStatus();
}

absl::Status DenseCalibration::CatchUp(int block) {
  TERSOR_RETURN_IF_ERROR(stream_.Embed(dense_, calibration_.ids));
  for (int b = 0; b < block; ++b) {
    TERSOR_RETURN_IF_ERROR(RunWhole(b, [](const Segment&) { return absl::OkStatus(); }));
  }
  return absl::OkStatus();
}

absl::Status DenseCalibration::RunWhole(int block, const std::function<absl::Status(const Segment&)>& at_segment) {
  TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Block> loaded, Block::Load(dense_, block, compute_));
  TERSOR_RETURN_IF_ERROR(stream_.Enter(*loaded));
  const int segments = static_cast<int>(loaded->segments().size());
  const bool last_block = block + 1 == static_cast<int>(dense_.spec.layers.size());
  for (int s = 0; s < segments; ++s) {
    TERSOR_RETURN_IF_ERROR(at_segment(loaded->segments()[s]));
    // Nobody reads what the last block makes of its input.
    if (s + 1 < segments || !last_block) TERSOR_RETURN_IF_ERROR(stream_.Run(*loaded, s));
  }
  stream_.DropInputs();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<InputStatistics>> DenseCalibration::Gather(
    int block, const std::function<void(int segment)>& segment_done) {
  if (needs_.statistics.empty()) return std::vector<InputStatistics>{};
  if (stored_) {
    std::optional<std::vector<InputStatistics>> kept = store_->Load(block, needs_.statistics);
    if (kept.has_value()) return *std::move(kept);
    // It has vanished since.
    const bool behind = !runs();
    stored_ = false;
    if (behind) TERSOR_RETURN_IF_ERROR(CatchUp(block));
  }
  std::vector<float> before;
  if (needs_.follows)
    before.assign(stream_.hidden().data, stream_.hidden().data + calibration_.ids.size() * dense_.spec.width);
  std::vector<InputStatistics> statistics;
  TERSOR_RETURN_IF_ERROR(RunWhole(block, [&](const Segment& segment) {
    statistics.emplace_back(segment.input_width, needs_.statistics);
    TERSOR_RETURN_IF_ERROR(AddSegmentInputs(segment, {.inputs = stream_.inputs(), .dense_inputs = {}}, compute_.threads,
                                            cancellation_, statistics.back()));
    segment_done(static_cast<int>(statistics.size()));
    return absl::OkStatus();
  }));
  if (needs_.follows) stream_.Restore(before);
  if (store_ != nullptr) store_->Save(block, statistics);
  return statistics;
}

absl::Status DenseCalibration::Enter(int block) {
  TERSOR_ASSIGN_OR_RETURN(block_, Block::Load(dense_, block, compute_));
  return stream_.Enter(*block_);
}

void DenseCalibration::Leave() {
  stream_.DropInputs();
  block_.reset();
}

absl::Status AddSegmentInputs(const Segment& segment, const StatisticsSource& source, int threads,
                              const CancellationToken* cancellation, InputStatistics& statistics) {
  const absl::Status status = statistics.Add(source, threads, cancellation);
  if (!absl::IsInvalidArgument(status)) return status;
  return Annotate(status, absl::StrCat("inputs of ", segment.linears.front().name));
}

}  // namespace tersor
