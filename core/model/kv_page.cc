#include "core/model/kv_page.h"

#include <algorithm>
#include <cstring>

namespace tersor {

KvPage::KvPage(const KvShape& shape) : shape_(shape), sealed_(shape.layers, 0) {
  if (shape_.format.bits == 0) {
    floats_ = ScratchBuffer(heads() * (KeyFloats() + ValueFloats()));
    // Padding of values takes part in products and must be finite; the rest is written before it is read.
    if (PaddedHeadSize(shape_.head_size) != shape_.head_size) std::fill_n(floats_.data(), floats_.size(), 0.0f);
    return;
  }
  if (by_channel()) floats_ = ScratchBuffer(heads() * KeyFloats());
  key_codes_.resize(heads() * KeyRuns() * KeyRunBytes());
  value_codes_.resize(heads() * kKeyBlock * ValueRunBytes());
  key_grids_.resize(heads() * KeyRuns());
  value_grids_.resize(heads() * kKeyBlock);
}

KvPage::KvPage(const KvPage& other)
    : shape_(other.shape_),
      floats_(other.floats_.size() > 0 ? ScratchBuffer(other.floats_.size()) : ScratchBuffer()),
      key_codes_(other.key_codes_),
      value_codes_(other.value_codes_),
      key_grids_(other.key_grids_),
      value_grids_(other.value_grids_),
      sealed_(other.sealed_) {
  if (floats_.size() > 0) std::memcpy(floats_.data(), other.floats_.data(), floats_.size() * sizeof(float));
}

void KvPage::Append(int layer, int64_t column, const float* keys, const float* values) {
  const int64_t head_size = shape_.head_size;
  for (int h = 0; h < shape_.kv_heads; ++h, keys += head_size, values += head_size) {
    const int64_t head = Head(layer, h);
    if (shape_.format.bits == 0) {
      float* head_keys = floats_.data() + head * (KeyFloats() + ValueFloats());
      for (int64_t i = 0; i < head_size; ++i) head_keys[i * kKeyBlock + column] = keys[i];
      std::memcpy(head_keys + KeyFloats() + column * PaddedHeadSize(head_size), values, head_size * sizeof(float));
      continue;
    }
    const int bits = shape_.format.bits;
    const int64_t run = head * kKeyBlock + column;
    value_grids_[run] = QuantizeKvRun(values, head_size, bits, value_codes_.data() + run * ValueRunBytes());
    if (by_channel()) {
      float* head_keys = floats_.data() + head * KeyFloats();
      for (int64_t i = 0; i < head_size; ++i) head_keys[i * kKeyBlock + column] = keys[i];
    } else {
      key_grids_[run] = QuantizeKvRun(keys, head_size, bits, key_codes_.data() + run * KeyRunBytes());
    }
  }
}

void KvPage::CopyFront(int layer, int kv_head, int64_t positions, const KvPage& from) {
  const int64_t head = Head(layer, kv_head);
  const bool floats = shape_.format.bits == 0;
  if (floats || by_channel()) {
    const int64_t offset = head * (KeyFloats() + (floats ? ValueFloats() : 0));
    for (int64_t i = 0; i < shape_.head_size; ++i) {
      std::copy_n(from.floats_.data() + offset + i * kKeyBlock, positions, floats_.data() + offset + i * kKeyBlock);
    }
    if (floats) {
      const int64_t values = offset + KeyFloats();
      std::copy_n(from.floats_.data() + values, positions * PaddedHeadSize(shape_.head_size), floats_.data() + values);
      return;
    }
  } else {
    const int64_t run = head * kKeyBlock;
    std::copy_n(from.key_codes_.begin() + run * KeyRunBytes(), positions * KeyRunBytes(),
                key_codes_.begin() + run * KeyRunBytes());
    std::copy_n(from.key_grids_.begin() + run, positions, key_grids_.begin() + run);
  }
  const int64_t run = head * kKeyBlock;
  std::copy_n(from.value_codes_.begin() + run * ValueRunBytes(), positions * ValueRunBytes(),
              value_codes_.begin() + run * ValueRunBytes());
  std::copy_n(from.value_grids_.begin() + run, positions, value_grids_.begin() + run);
}

void KvPage::Seal(int layer) {
  if (!by_channel() || sealed_[layer]) return;
  for (int h = 0; h < shape_.kv_heads; ++h) {
    const int64_t head = Head(layer, h);
    const float* keys = floats_.data() + head * KeyFloats();
    for (int64_t i = 0; i < shape_.head_size; ++i) {
      const int64_t run = head * KeyRuns() + i;
      key_grids_[run] =
          QuantizeKvRun(keys + i * kKeyBlock, kKeyBlock, shape_.format.bits, key_codes_.data() + run * KeyRunBytes());
    }
  }
  sealed_[layer] = 1;
}

void KvPage::DropFloatKeys() {
  if (!by_channel() || std::count(sealed_.begin(), sealed_.end(), 0) > 0) return;
  floats_ = ScratchBuffer();
}

KeyValueBlock KvPage::ReadBlock(int layer, int kv_head, float* scratch) const {
  const int64_t head = Head(layer, kv_head);
  const int64_t head_size = shape_.head_size;
  const int bits = shape_.format.bits;
  if (bits == 0) {
    const float* keys = floats_.data() + head * (KeyFloats() + ValueFloats());
    return {keys, keys + KeyFloats()};
  }
  KeyValueBlock block{scratch, scratch + KeyFloats()};
  const int64_t padded = PaddedHeadSize(head_size);
  float* values = scratch + KeyFloats();
  for (int64_t column = 0; column < kKeyBlock; ++column) {
    const int64_t run = head * kKeyBlock + column;
    float* row = values + column * padded;
    DequantizeKvRun(value_codes_.data() + run * ValueRunBytes(), head_size, bits, value_grids_[run], row);
    std::fill(row + head_size, row + padded, 0.0f);
  }
  if (by_channel()) {
    // The newest page: only its own positions read it.
    if (!sealed_[layer]) {
      block.keys = OwnKeys(layer, kv_head);
      return block;
    }
    for (int64_t i = 0; i < head_size; ++i) {
      const int64_t run = head * KeyRuns() + i;
      DequantizeKvRun(key_codes_.data() + run * KeyRunBytes(), kKeyBlock, bits, key_grids_[run],
                      scratch + i * kKeyBlock);
    }
    return block;
  }
  // A few rows at a time, so that they are still in the first-level cache when they are turned.
  constexpr int64_t kRows = 8;
  ScratchBuffer rows(kRows * head_size);
  for (int64_t column = 0; column < kKeyBlock; column += kRows) {
    for (int64_t r = 0; r < kRows; ++r) {
      const int64_t run = head * kKeyBlock + column + r;
      DequantizeKvRun(key_codes_.data() + run * KeyRunBytes(), head_size, bits, key_grids_[run],
                      rows.data() + r * head_size);
    }
    Transpose(rows.data(), head_size, kRows, head_size, scratch + column, kKeyBlock);
  }
  return block;
}

int64_t KvPage::StoredBytes(const KvShape& shape) {
  const int64_t heads = static_cast<int64_t>(shape.layers) * shape.kv_heads;
  const int64_t head_size = shape.head_size;
  const int bits = shape.format.bits;
  if (bits == 0) {
    return heads * kKeyBlock * (head_size + PaddedHeadSize(head_size)) * static_cast<int64_t>(sizeof(float));
  }
  const int64_t values = kKeyBlock * (KvRunBytes(head_size, bits) + static_cast<int64_t>(sizeof(KvGrid)));
  if (shape.format.keys == KvKeys::kToken) return heads * 2 * values;
  return heads * (values + head_size * (KvRunBytes(kKeyBlock, bits) + static_cast<int64_t>(sizeof(KvGrid))));
}

int64_t KvPage::NewestBytes(const KvShape& shape) {
  const int64_t stored = StoredBytes(shape);
  if (shape.format.bits == 0 || shape.format.keys == KvKeys::kToken) return stored;
  return stored + static_cast<int64_t>(shape.layers) * shape.kv_heads * shape.head_size * kKeyBlock *
                      static_cast<int64_t>(sizeof(float));
}

int64_t KvPage::ByteSize() const {
  return static_cast<int64_t>(floats_.size() * sizeof(float) + key_codes_.size() + value_codes_.size() +
                              (key_grids_.size() + value_grids_.size()) * sizeof(KvGrid));
}

}  // namespace tersor
