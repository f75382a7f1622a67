#include "core/model/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tersor {

std::shared_ptr<KvCache::Page> KvCache::NewPage() const {
  auto page = std::make_shared<Page>(PageFloats());
  // Padding of values takes part in products and must be finite; the rest is written before it is read.
  if (PaddedHeadSize(shape_.head_size) != shape_.head_size) std::memset(page->data(), 0, PageFloats() * sizeof(float));
  return page;
}

int64_t KvCache::AddSlot() {
  slots_.emplace_back();
  return slots() - 1;
}

absl::StatusOr<int64_t> KvCache::Fork(int64_t slot, int64_t positions) {
  if (slot < 0 || slot >= slots() || positions < 0 || positions > length(slot)) {
    return absl::OutOfRangeError(absl::StrCat("cannot fork ", positions, " positions of cache slot ", slot));
  }
  Slot forked;
  const int64_t pages = (positions + kKeyBlock - 1) / kKeyBlock;
  forked.pages.assign(slots_[slot].pages.begin(), slots_[slot].pages.begin() + pages);
  forked.length = positions;
  slots_.push_back(std::move(forked));
  return slots() - 1;
}

absl::Status KvCache::Truncate(int64_t slot, int64_t positions) {
  if (slot < 0 || slot >= slots() || positions < 0 || positions > length(slot)) {
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
    std::shared_ptr<Page> copy = NewPage();
    std::memcpy(copy->data(), target.pages[first_written]->data(), PageFloats() * sizeof(float));
    target.pages[first_written] = std::move(copy);
  }
  const size_t pages = (target.length + count + kKeyBlock - 1) / kKeyBlock;
  while (target.pages.size() < pages) target.pages.push_back(NewPage());
}

void KvCache::Append(int layer, int64_t slot, int64_t position, const float* keys, const float* values) {
  const int64_t head_size = shape_.head_size;
  const int64_t column = position % kKeyBlock;
  float* head = slots_[slot].pages[position / kKeyBlock]->data() + layer * shape_.kv_heads * HeadFloats();
  for (int h = 0; h < shape_.kv_heads; ++h, head += HeadFloats(), keys += head_size, values += head_size) {
    for (int64_t i = 0; i < head_size; ++i) head[i * kKeyBlock + column] = keys[i];
    std::memcpy(head + KeyFloats() + column * PaddedHeadSize(head_size), values, head_size * sizeof(float));
  }
}

void KvCache::Attend(int layer, int64_t slot, int kv_head, AttentionTile tile) const {
  const std::vector<std::shared_ptr<Page>>& pages = slots_[slot].pages;
  const int64_t offset = (static_cast<int64_t>(layer) * shape_.kv_heads + kv_head) * HeadFloats();
  std::vector<KeyValueBlock> blocks(pages.size());
  for (size_t i = 0; i < pages.size(); ++i) {
    blocks[i].keys = pages[i]->data() + offset;
    blocks[i].values = blocks[i].keys + KeyFloats();
  }
  tile.blocks = blocks;
  tersor::Attend(tile);
}

int64_t KvCache::ByteSize() const {
  int64_t pages = 0;
  for (const Slot& slot : slots_) pages += static_cast<int64_t>(slot.pages.size());
  return pages * PageFloats() * static_cast<int64_t>(sizeof(float));
}

}  // namespace tersor
