#include "core/kernels/scratch.h"

#include <sys/mman.h>

#include <array>
#include <map>
#include <mutex>
#include <new>
#include <utility>

namespace tersor {
namespace {

constexpr size_t kHugePage = size_t{1} << 21;
// What the pool holds at most while nobody uses it.
constexpr size_t kPoolLimit = size_t{192} << 20;

// Rounds up to a quarter of a power of two, so that nearly equal requests share buffers.
size_t SizeClass(size_t bytes) {
  size_t step = 256;
  while (step * 8 < bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

bool IsHuge(size_t bytes) { return bytes >= kHugePage; }

std::align_val_t Alignment(size_t bytes) { return std::align_val_t{IsHuge(bytes) ? kHugePage : 64}; }

class Pool {
 public:
  void* Take(size_t bytes) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      auto found = free_.find(bytes);
      if (found != free_.end()) {
        void* memory = found->second;
        free_.erase(found);
        held_ -= bytes;
        return memory;
      }
    }
    void* memory = ::operator new(bytes, Alignment(bytes));
    if (IsHuge(bytes)) madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
  }

  void Give(void* memory, size_t bytes) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (held_ + bytes <= kPoolLimit) {
        free_.emplace(bytes, memory);
        held_ += bytes;
        return;
      }
    }
    ::operator delete(memory, Alignment(bytes));
  }

 private:
  std::mutex mutex_;
  std::multimap<size_t, void*> free_;
  size_t held_ = 0;
};

Pool& GlobalPool() {
  // Never destroyed: threads may still give memory back while the process ends.
  static Pool* const pool = new Pool;
  return *pool;
}

// A few small buffers that a thread keeps for itself: decoding a token takes hundreds, and the pool's lock is shared.
class ThreadCache {
 public:
  static constexpr size_t kLargest = size_t{1} << 15;

  ~ThreadCache() {
    for (const Entry& entry : entries_) {
      if (entry.memory != nullptr) GlobalPool().Give(entry.memory, entry.bytes);
    }
  }
  void* Take(size_t bytes) {
    for (Entry& entry : entries_) {
      if (entry.bytes == bytes && entry.memory != nullptr) return std::exchange(entry.memory, nullptr);
    }
    return GlobalPool().Take(bytes);
  }
  void Give(void* memory, size_t bytes) {
    for (Entry& entry : entries_) {
      if (entry.memory != nullptr) continue;
      entry = {memory, bytes};
      return;
    }
    GlobalPool().Give(memory, bytes);
  }

 private:
  struct Entry {
    void* memory = nullptr;
    size_t bytes = 0;
  };
  std::array<Entry, 8> entries_;
};

ThreadCache& OwnCache() {
  thread_local ThreadCache cache;
  return cache;
}

}  // namespace

ScratchBuffer::ScratchBuffer(int64_t floats) : size_(floats) {
  if (floats <= 0) return;
  capacity_bytes_ = SizeClass(static_cast<size_t>(floats) * sizeof(float));
  if (IsHuge(capacity_bytes_)) capacity_bytes_ = (capacity_bytes_ + kHugePage - 1) / kHugePage * kHugePage;
  void* memory =
      capacity_bytes_ <= ThreadCache::kLargest ? OwnCache().Take(capacity_bytes_) : GlobalPool().Take(capacity_bytes_);
  data_ = static_cast<float*>(memory);
}

ScratchBuffer::~ScratchBuffer() {
  if (data_ == nullptr) return;
  if (capacity_bytes_ <= ThreadCache::kLargest) {
    OwnCache().Give(data_, capacity_bytes_);
  } else {
    GlobalPool().Give(data_, capacity_bytes_);
  }
}

}  // namespace tersor
