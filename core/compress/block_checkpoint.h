// Where a walk over a model's blocks keeps what it has done.
#ifndef TERSOR_CORE_COMPRESS_BLOCK_CHECKPOINT_H_
#define TERSOR_CORE_COMPRESS_BLOCK_CHECKPOINT_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/compress/tensor_replacement.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// One finished block: its new tensors and what the report says of it.
struct BlockRecord {
  int block = 0;
  std::vector<TensorReplacement> replacements;
  std::vector<v1::LayerResult> layers;
  std::vector<v1::Warning> warnings;
};

// What an earlier, broken-off walk left.
struct SavedWalk {
  // Blocks 0 .. records.size() - 1, in order.
  std::vector<BlockRecord> records;
  // As given with the last record.
  std::vector<float> activations;
};

// Thread-compatible. The implementation owns the fingerprint (model, recipe, program, instruction set): it returns only
// what the same walk saved, byte for byte.
class BlockCheckpoint {
 public:
  virtual ~BlockCheckpoint() = default;
  // Called after each block, in order. `activations` is the walk's state after the block (opaque; about tokens x width
  // floats); only the latest is needed. A walk that ends between two calls goes on after the last one that returned OK.
  virtual absl::Status Save(const BlockRecord& record, std::span<const float> activations) = 0;
  // What the stages decided before the first block, as text; saved at most once.
  virtual absl::Status SaveDecisions(const std::string& decisions) = 0;
  // nullopt where none were saved.
  virtual absl::StatusOr<std::optional<std::string>> LoadDecisions() = 0;
  // nullopt where nothing was saved.
  virtual absl::StatusOr<std::optional<SavedWalk>> Load() = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_BLOCK_CHECKPOINT_H_
