// The compress walk's checkpoint on disk.
#ifndef TERSOR_CORE_PIPELINE_CHECKPOINT_H_
#define TERSOR_CORE_PIPELINE_CHECKPOINT_H_

#include <filesystem>
#include <memory>

#include "core/compress/block_checkpoint.h"

namespace tersor {

// One tensor shard a block (block-0003.safetensors) and the activations after the latest one
// (activations-0003.safetensors). A block counts once both are durable; what is there beyond the last complete one is
// ignored and written again. The folder must exist and belong to one job (see workspace.h).
std::unique_ptr<BlockCheckpoint> MakeDiskCheckpoint(std::filesystem::path folder);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_CHECKPOINT_H_
