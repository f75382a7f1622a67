// Compression's way through a model: block by block, one block in memory at a time.
#ifndef TERSOR_CORE_COMPRESS_BLOCK_WALK_H_
#define TERSOR_CORE_COMPRESS_BLOCK_WALK_H_

#include <set>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/event_sink.h"
#include "core/base/status.h"
#include "core/calibration/statistics_store.h"
#include "core/calibration/token_batches.h"
#include "core/compress/block_checkpoint.h"
#include "core/compress/method.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

// A stage: what it does, and the names of the layers that it takes.
struct WalkStage {
  // "quantize:gptq".
  std::string name;
  // Not owned.
  const Method* method = nullptr;
  std::set<std::string> layers;
};
// In the order in which they change a layer; layers of none stay as they are.
using WalkStages = std::vector<WalkStage>;

struct BlockWalkOptions {
  ComputeOptions compute;
  // May be null.
  BlockCheckpoint* checkpoint = nullptr;
  const CancellationToken* cancellation = nullptr;
  // Where statistics of the dense model are kept for other jobs; may be null.
  StatisticsStore* statistics = nullptr;
  // As progress events name it: "quantize:gptq".
  std::string stage;
};

// Compresses the blocks' layers in true sequence: a segment goes through all stages, each of which takes its weights as
// the one before left them, then it is run. A method's statistics are either of what the blocks and segments
// before, already compressed, really produce, or of the dense model (Method::reads_dense_model), which the store may
// have. Each of the two models is run once, as far as somebody wants statistics of it; the last block's output is not
// computed. Holds, of each model that runs, the hidden states of all calibration tokens and the inputs of one segment
// and the next.
// Returns one record a block, also of blocks that the checkpoint had. `model` changes after each block. `dense`: the
// model before any change, which the methods may want to compare with.
absl::StatusOr<std::vector<BlockRecord>> WalkBlocks(Model& model, const Model& dense, const WalkStages& stages,
                                                    const CalibrationTokens& calibration,
                                                    const BlockWalkOptions& options, EventSink& events);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_BLOCK_WALK_H_
