#include "core/model/kv_cache.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

absl::StatusOr<KvShape> CacheShape(const Model& model) {
  const ModelSpec& spec = model.spec;
  if (spec.layers.empty()) return absl::InvalidArgumentError("the model has no blocks");
  const AttentionSpec& first = spec.layers[0].attention;
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const AttentionSpec& a = spec.layers[i].attention;
    if (a.kv_heads == first.kv_heads && a.head_size == first.head_size) continue;
    return absl::UnimplementedError(absl::StrCat("generation with blocks of different shapes: block ", i, " has ",
                                                 a.kv_heads, " key-value heads of size ", a.head_size, ", block 0 has ",
                                                 first.kv_heads, " of size ", first.head_size));
  }
  return KvShape{static_cast<int>(spec.layers.size()), first.kv_heads, first.head_size, model.kv_format};
}

int64_t KvCache::Place(Slot slot) {
  if (released_.empty()) {
    slots_.push_back(std::move(slot));
    return slots() - 1;
  }
  const int64_t number = released_.back();
  released_.pop_back();
  slots_[number] = std::move(slot);
  return number;
}

int64_t KvCache::AddSlot() { return Place({}); }

void KvCache::Release(int64_t slot) {
  slots_[slot] = {};
  released_.push_back(slot);
}

int64_t KvCache::Keepable(int64_t slot, int64_t positions) const {
  const Slot& kept = slots_[slot];
  const int64_t page = positions / kKeyBlock;
  if (positions % kKeyBlock == 0 || page >= static_cast<int64_t>(kept.pages.size())) return positions;
  return kept.pages[page]->sealed(0) ? page * kKeyBlock : positions;
}

absl::StatusOr<int64_t> KvCache::Fork(int64_t slot, int64_t positions) {
  if (slot < 0 || slot >= slots() || positions < 0 || positions > length(slot) ||
      Keepable(slot, positions) != positions) {
    return absl::OutOfRangeError(absl::StrCat("cannot fork ", positions, " positions of cache slot ", slot));
  }
  Slot forked;
  const int64_t pages = (positions + kKeyBlock - 1) / kKeyBlock;
  forked.pages.assign(slots_[slot].pages.begin(), slots_[slot].pages.begin() + pages);
  forked.length = positions;
  return Place(std::move(forked));
}

absl::StatusOr<int64_t> KvCache::AddSlotAfter(int64_t slot, int64_t positions) {
  if (slot < 0 || slot >= slots() || positions < 0 ||
      positions > static_cast<int64_t>(slots_[slot].pages.size()) * kKeyBlock) {
    return absl::OutOfRangeError(absl::StrCat("cannot share ", positions, " positions of cache slot ", slot));
  }
  Slot added;
  const int64_t whole = positions / kKeyBlock;
  added.pages.assign(slots_[slot].pages.begin(), slots_[slot].pages.begin() + whole);
  added.length = positions;
  added.shared_tail = positions % kKeyBlock;
  if (added.shared_tail > 0) {
    added.tail_source = slots_[slot].pages[whole];
    added.pages.push_back(std::make_shared<KvPage>(shape_));
  }
  return Place(std::move(added));
}

void KvCache::FillShared(int layer, int64_t slot, int kv_head) {
  const Slot& target = slots_[slot];
  if (target.shared_tail == 0) return;
  // Not committed yet: the length is still what is shared.
  target.pages[target.length / kKeyBlock]->CopyFront(layer, kv_head, target.shared_tail, *target.tail_source);
}

absl::Status KvCache::Truncate(int64_t slot, int64_t positions) {
  if (slot < 0 || slot >= slots() || positions < 0 || positions > length(slot) ||
      Keepable(slot, positions) != positions) {
    return absl::OutOfRangeError(absl::StrCat("cannot cut cache slot ", slot, " to ", positions, " positions"));
  }
  slots_[slot].length = positions;
  slots_[slot].pages.resize((positions + kKeyBlock - 1) / kKeyBlock);
  return absl::OkStatus();
}

void KvCache::Reserve(int64_t slot, int64_t count) {
  if (count <= 0) return;
  Slot& target = slots_[slot];
  const size_t first_written = target.length / kKeyBlock;
  if (first_written < target.pages.size() && target.pages[first_written].use_count() > 1) {
    target.pages[first_written] = std::make_shared<KvPage>(*target.pages[first_written]);
  }
  const size_t pages = (target.length + count + kKeyBlock - 1) / kKeyBlock;
  while (target.pages.size() < pages) target.pages.push_back(std::make_shared<KvPage>(shape_));
}

void KvCache::Commit(int64_t slot, int64_t count) {
  Slot& target = slots_[slot];
  const int64_t before = target.length;
  target.length += count;
  // From the page that was the newest on; the one that is stays as it is.
  for (int64_t page = std::max<int64_t>(before - 1, 0) / kKeyBlock; page < (target.length - 1) / kKeyBlock; ++page) {
    target.pages[page]->DropFloatKeys();
  }
}

void KvCache::Append(int layer, int64_t slot, int64_t position, const float* keys, const float* values) {
  slots_[slot].pages[position / kKeyBlock]->Append(layer, position % kKeyBlock, keys, values);
}

void KvCache::Seal(int layer, int64_t slot, int64_t end) {
  const Slot& target = slots_[slot];
  for (int64_t page = std::max<int64_t>(target.length - 1, 0) / kKeyBlock; page < (end - 1) / kKeyBlock; ++page) {
    target.pages[page]->Seal(layer);
  }
}

void KvCache::Attend(int layer, int64_t slot, int kv_head, AttentionTile tile) const {
  if (tile.positions <= 0) return;
  const std::vector<std::shared_ptr<KvPage>>& pages = slots_[slot].pages;
  const int64_t oldest = tile.window > 0 ? std::max<int64_t>(0, tile.first_position - tile.window + 1) : 0;
  const int64_t first = oldest / kKeyBlock;
  const int64_t end = (tile.first_position + tile.positions - 1) / kKeyBlock + 1;
  std::vector<KeyValueBlock> blocks(end);
  const int64_t block_floats = pages[first]->BlockFloats();
  ScratchBuffer scratch((end - first) * block_floats);
  for (int64_t block = first; block < end; ++block) {
    blocks[block] = pages[block]->ReadBlock(layer, kv_head, scratch.data() + (block - first) * block_floats);
  }
  // Positions of one block at a time: each reads its own block as the newest.
  const int64_t last = tile.first_position + tile.positions;
  for (int64_t position = tile.first_position; position < last;) {
    const int64_t own = position / kKeyBlock;
    AttentionTile part = tile;
    part.first_position = position;
    part.positions = shape_.format.bits == 0 ? tile.positions : std::min(last, (own + 1) * kKeyBlock) - position;
    part.queries = tile.queries + (position - tile.first_position) * tile.query_stride;
    part.outputs = tile.outputs + (position - tile.first_position) * tile.output_stride;
    const KeyValueBlock stored = blocks[own];
    if (shape_.format.keys == KvKeys::kChannel) blocks[own].keys = pages[own]->OwnKeys(layer, kv_head);
    part.blocks = blocks;
    tersor::Attend(part);
    blocks[own] = stored;
    position += part.positions;
  }
}

int64_t KvCache::ByteSize() const {
  int64_t bytes = 0;
  for (const Slot& slot : slots_) {
    for (const auto& page : slot.pages) bytes += page->ByteSize();
  }
  return bytes;
}

}  // namespace tersor
