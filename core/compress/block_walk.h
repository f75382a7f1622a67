// Compression's way through a model: block by block, one block in memory at a time.
#ifndef TERSOR_CORE_COMPRESS_BLOCK_WALK_H_
#define TERSOR_CORE_COMPRESS_BLOCK_WALK_H_

#include <functional>
#include <map>
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

// Which method takes a layer, by layer name; layers without an entry stay as they are. Methods are not owned.
using LayerMethods = std::map<std::string, const Method*, std::less<>>;

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

// Compresses the blocks' layers in true sequence. A method's statistics are either of what the blocks and segments
// before, already compressed, really produce, or of the dense model (Method::reads_dense_model), which the store may
// have. Each of the two models is run once, as far as somebody wants statistics of it; the last block's output is not
// computed. Holds, of each model that runs, the hidden states of all calibration tokens and the inputs of one segment
// and the next.
// Returns one record a block, also of blocks that the checkpoint had. `model` changes after each block. `dense`: the
// model before any change, which the methods may want to compare with.
absl::StatusOr<std::vector<BlockRecord>> WalkBlocks(Model& model, const Model& dense, const LayerMethods& methods,
                                                    const CalibrationTokens& calibration,
                                                    const BlockWalkOptions& options, EventSink& events);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_BLOCK_WALK_H_
