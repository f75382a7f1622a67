// Events of a walk over a model's blocks.
#ifndef TERSOR_CORE_COMPRESS_WALK_PROGRESS_H_
#define TERSOR_CORE_COMPRESS_WALK_PROGRESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/event_sink.h"
#include "core/base/stopwatch.h"
#include "core/compress/block_checkpoint.h"

namespace tersor {

// An event for each warning and each layer.
void EmitOutcome(const std::vector<v1::Warning>& warnings, const std::vector<v1::LayerResult>& layers,
                 EventSink& events);

// Speed counts a token once it went through all blocks, over the blocks done since the walk (or its resumption) began.
// Not thread-safe.
class WalkProgress {
 public:
  WalkProgress(std::string stage, int blocks, int64_t tokens, EventSink& events);

  // A block that a checkpoint had: its layers and warnings are told again, it adds nothing to the speed.
  void BlockTakenOver(const BlockRecord& record);
  // `share` of the block after those done is done too.
  void SegmentDone(int blocks_done, double share);
  void BlockDone(const BlockRecord& record);

 private:
  void EmitProgress(int blocks_done, double share);

  const std::string stage_;
  const int blocks_;
  const int64_t tokens_;
  EventSink& events_;
  int taken_over_ = 0;
  const Stopwatch watch_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_WALK_PROGRESS_H_
