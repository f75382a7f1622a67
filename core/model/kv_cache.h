// Keys and values of earlier positions, in pages that sequences share.
#ifndef TERSOR_CORE_MODEL_KV_CACHE_H_
#define TERSOR_CORE_MODEL_KV_CACHE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/status.h"
#include "core/kernels/attention.h"
#include "core/model/kv_page.h"
#include "core/model/model.h"

namespace tersor {

// Of all blocks of a model; UNIMPLEMENTED where they differ.
absl::StatusOr<KvShape> CacheShape(const Model& model);

// A slot holds one sequence as a list of pages of kKeyBlock positions, for all layers. Forked slots share pages by
// reference count; a shared page is copied before it is written to. What a page holds is this class's business:
// callers append rows and attend to them.
// Append and Attend may run on several threads as long as no two write the same position; everything else needs the
// cache to itself.
class KvCache {
 public:
  explicit KvCache(const KvShape& shape) : shape_(shape) {}

  const KvShape& shape() const { return shape_; }
  int64_t slots() const { return static_cast<int64_t>(slots_.size()); }
  // Positions that are complete in all layers.
  int64_t length(int64_t slot) const { return slots_[slot].length; }

  // An empty slot's number: a new one, or one that was released.
  int64_t AddSlot();
  // The most positions, `positions` or fewer, that Fork and Truncate can keep of a slot: keys that were rounded
  // together cannot be parted again, because a position reads its own group unrounded.
  int64_t Keepable(int64_t slot, int64_t positions) const;
  // A new slot that begins with the first `positions` positions of `slot`. OUT_OF_RANGE where it has fewer or they are
  // not keepable.
  absl::StatusOr<int64_t> Fork(int64_t slot, int64_t positions);
  // A new slot that begins with the first `positions` positions of `slot`, which need no more than be reserved there:
  // FillShared brings the new slot what it cannot share once they are written. Until then nothing more may be reserved
  // in `slot`. OUT_OF_RANGE where fewer are reserved.
  absl::StatusOr<int64_t> AddSlotAfter(int64_t slot, int64_t positions);
  // Copies what a slot of AddSlotAfter needs of a page that it shares in part. Slots in the order they were added,
  // before Seal and Commit; several threads may each fill a key-value head of theirs.
  void FillShared(int layer, int64_t slot, int kv_head);
  // Forgets all of a slot, which may then be given out again.
  void Release(int64_t slot);
  // Forgets all positions from `positions` on; OUT_OF_RANGE where the slot has fewer or they are not keepable.
  absl::Status Truncate(int64_t slot, int64_t positions);
  // Makes room for `count` positions after the slot's length; Append may then write them, layer by layer.
  void Reserve(int64_t slot, int64_t count);
  // Counts `count` reserved positions as complete.
  void Commit(int64_t slot, int64_t count);

  // Stores the keys (after rope) and values of one position, kv_heads x head_size floats each.
  void Append(int layer, int64_t slot, int64_t position, const float* keys, const float* values);
  // After a layer's Append up to position `end` - 1 and before Attend: rounds groups that are no longer the newest.
  void Seal(int layer, int64_t slot, int64_t end);
  // Computes `tile` (its `blocks` excepted) for key-value head `kv_head` of `slot`, reading every position, its own
  // too, as it is stored.
  void Attend(int layer, int64_t slot, int kv_head, AttentionTile tile) const;

  // Bytes that kKeyBlock positions take at most.
  int64_t PageBytes() const { return KvPage::NewestBytes(shape_); }
  // Bytes of all pages, shared ones counted once for each slot.
  int64_t ByteSize() const;

 private:
  struct Slot {
    std::vector<std::shared_ptr<KvPage>> pages;
    int64_t length = 0;
    // The page whose first `shared_tail` positions FillShared copies.
    std::shared_ptr<const KvPage> tail_source = nullptr;
    int64_t shared_tail = 0;
  };

  // The number of `slot`, put where one was released or at the end.
  int64_t Place(Slot slot);

  KvShape shape_;
  std::vector<Slot> slots_;
  std::vector<int64_t> released_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_KV_CACHE_H_
