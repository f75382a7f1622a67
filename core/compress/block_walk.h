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
  // As progress events name it: "quantize:gptq".
  std::string stage;
};

// Compresses the blocks' layers in true sequence: statistics of a segment's inputs are taken from what the blocks and
// segments before, already compressed, really produce, and each matrix product is done once. The last block's output is
// not computed, and nothing is computed at all where no method wants statistics. Holds the hidden states of all
// calibration tokens and the inputs of one segment and the next.
// Returns one record a block, also of blocks that the checkpoint had. `model` changes after each block.
// `dense`: the model before any change, which the methods may want to compare with.
absl::StatusOr<std::vector<BlockRecord>> WalkBlocks(Model& model, const Model& dense, const LayerMethods& methods,
                                                    const CalibrationTokens& calibration,
                                                    const BlockWalkOptions& options, EventSink& events);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_BLOCK_WALK_H_
