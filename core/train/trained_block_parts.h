// What the passes of TrainedBlock share. Private to core/train.
#ifndef TERSOR_CORE_TRAIN_TRAINED_BLOCK_PARTS_H_
#define TERSOR_CORE_TRAIN_TRAINED_BLOCK_PARTS_H_

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core/kernels/attention.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/train/trained_block.h"

namespace tersor {

// Where each row of a batch stands in its sequence.
struct TrainedBlock::Layout {
  struct Place {
    int64_t sequence, position;
  };
  std::vector<int64_t> offsets;
  std::vector<Place> places;
  // One for all sequences, or one a sequence where it depends on the length; none without rope.
  std::vector<std::shared_ptr<const RopeTable>> ropes;

  const RopeTable* RopeOf(int64_t sequence) const {
    return ropes.empty() ? nullptr : ropes[ropes.size() == 1 ? 0 : sequence].get();
  }
};

// Calls run(tile) for all tiles of the batch, on the block's threads.
template <typename Run>
absl::Status TrainedBlock::ForTiles(int64_t tokens, const Run& run) const {
  // As DecoderBlock cuts them: activations of a tile stay in a core's cache.
  constexpr int64_t kLargest = 256, kSmallest = 16;
  int64_t rows = kLargest;
  while (rows > kSmallest && rows * options_.threads > tokens) rows /= 2;
  return ParallelFor(options_.threads, (tokens + rows - 1) / rows, [&](int64_t i) {
    return run(Tile{i * rows, std::min(rows, tokens - i * rows)});
  });
}

// One head's keys and values as Attend reads them.
class KeyValueBlocks {
 public:
  KeyValueBlocks(const float* keys, const float* values, int64_t stride, int64_t positions, int64_t head_size)
      : padded_(PaddedHeadSize(head_size)), count_((positions + kKeyBlock - 1) / kKeyBlock) {
    storage_ = ScratchBuffer(count_ * kKeyBlock * (head_size + padded_));
    std::fill_n(storage_.data(), storage_.size(), 0.0f);
    for (int64_t b = 0; b < count_; ++b) {
      float* const key_block = storage_.data() + b * kKeyBlock * (head_size + padded_);
      float* const value_block = key_block + kKeyBlock * head_size;
      for (int64_t j = 0; j < std::min(kKeyBlock, positions - b * kKeyBlock); ++j) {
        const int64_t row = (b * kKeyBlock + j) * stride;
        for (int64_t k = 0; k < head_size; ++k) key_block[k * kKeyBlock + j] = keys[row + k];
        std::copy_n(values + row, head_size, value_block + j * padded_);
      }
      blocks_.push_back({key_block, value_block});
    }
  }
  std::span<const KeyValueBlock> blocks() const { return blocks_; }

 private:
  int64_t padded_, count_;
  ScratchBuffer storage_;
  std::vector<KeyValueBlock> blocks_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_TRAINED_BLOCK_PARTS_H_
