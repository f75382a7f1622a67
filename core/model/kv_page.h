// Keys and values of kKeyBlock positions of all layers. Private to core/model; see kv_cache.h.
#ifndef TERSOR_CORE_MODEL_KV_PAGE_H_
#define TERSOR_CORE_MODEL_KV_PAGE_H_

#include <cstdint>
#include <vector>

#include "core/kernels/attention.h"
#include "core/kernels/kv_codes.h"
#include "core/kernels/scratch.h"
#include "core/model/kv_format.h"

namespace tersor {

struct KvShape {
  int layers = 1;
  int kv_heads = 1;
  int head_size = 1;
  KvFormat format{};
};

// Append and Block may run on several threads as long as no two write the same position.
class KvPage {
 public:
  explicit KvPage(const KvShape& shape);
  // Copyable, for copy on write.
  KvPage(const KvPage& other);
  KvPage& operator=(const KvPage&) = delete;

  // Stores what one position holds of one layer.
  void Append(int layer, int64_t column, const float* keys, const float* values);
  // Takes the first `positions` positions of a head over from a page of the same shape that is not sealed.
  void CopyFront(int layer, int kv_head, int64_t positions, const KvPage& from);
  // Rounds the keys of a layer whose positions are all there; nothing where keys are not kept by channel.
  void Seal(int layer);
  bool sealed(int layer) const { return sealed_[layer]; }
  // Lets go of float keys where all layers are sealed.
  void DropFloatKeys();

  // Floats that ReadBlock needs as scratch.
  int64_t BlockFloats() const { return shape_.format.bits == 0 ? 0 : KeyFloats() + ValueFloats(); }
  // What attention reads of a page that is not the reader's own. Points into the page or into `scratch`.
  KeyValueBlock ReadBlock(int layer, int kv_head, float* scratch) const;
  // Keys kept by channel, as they came: what positions of this page itself read.
  const float* OwnKeys(int layer, int kv_head) const { return floats_.data() + Head(layer, kv_head) * KeyFloats(); }

  // Bytes the page takes while it is the newest, and once it no longer is.
  static int64_t NewestBytes(const KvShape& shape);
  static int64_t StoredBytes(const KvShape& shape);
  int64_t ByteSize() const;

 private:
  int64_t KeyFloats() const { return shape_.head_size * kKeyBlock; }
  int64_t ValueFloats() const { return kKeyBlock * PaddedHeadSize(shape_.head_size); }
  bool by_channel() const { return shape_.format.bits != 0 && shape_.format.keys == KvKeys::kChannel; }
  int64_t Head(int layer, int kv_head) const { return static_cast<int64_t>(layer) * shape_.kv_heads + kv_head; }
  int64_t heads() const { return static_cast<int64_t>(shape_.layers) * shape_.kv_heads; }
  // Runs of a head's keys, and how many elements each has.
  int64_t KeyRuns() const { return by_channel() ? shape_.head_size : kKeyBlock; }
  int64_t KeyRunLength() const { return by_channel() ? kKeyBlock : shape_.head_size; }
  int64_t KeyRunBytes() const { return KvRunBytes(KeyRunLength(), shape_.format.bits); }
  int64_t ValueRunBytes() const { return KvRunBytes(shape_.head_size, shape_.format.bits); }

  KvShape shape_;
  // Float format: [layer][kv_head]{keys [head_size][kKeyBlock], values [kKeyBlock][padded head_size]}. Keys by channel:
  // [layer][kv_head][head_size][kKeyBlock], those not yet sealed.
  ScratchBuffer floats_;
  // [layer][kv_head][runs].
  std::vector<uint8_t> key_codes_, value_codes_;
  std::vector<KvGrid> key_grids_, value_grids_;
  std::vector<uint8_t> sealed_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_KV_PAGE_H_
