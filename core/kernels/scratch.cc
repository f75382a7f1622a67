#include "core/kernels/scratch.h"

#include <sys/mman.h>

#include <array>
#include <iterator>
#include <list>
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

void Release(void* memory, size_t bytes) { ::operator delete(memory, Alignment(bytes)); }

class Pool {
 public:
  void* Take(size_t bytes) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      const auto found = by_size_.find(bytes);
      if (found != by_size_.end()) {
        void* memory = found->second->memory;
        Forget(found);
        return memory;
      }
    }
    void* memory = ::operator new(bytes, Alignment(bytes));
    if (IsHuge(bytes)) madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
  }

  void Give(void* memory, size_t bytes) {
    if (bytes > kPoolLimit) return Release(memory, bytes);
    std::lock_guard<std::mutex> lock(mutex_);
    // What was given back longest ago goes first: it belongs to a phase of the program that is over.
    while (held_ + bytes > kPoolLimit) {
      const Free oldest = order_.front();
      Forget(oldest.place);
      Release(oldest.memory, oldest.bytes);
    }
    order_.push_back({memory, bytes, by_size_.end()});
    order_.back().place = by_size_.emplace(bytes, std::prev(order_.end()));
    held_ += bytes;
  }

 private:
  struct Free;
  using BySize = std::multimap<size_t, std::list<Free>::iterator>;
  struct Free {
    void* memory = nullptr;
    size_t bytes = 0;
    BySize::iterator place;
  };

  void Forget(BySize::iterator place) {
    held_ -= place->first;
    order_.erase(place->second);
    by_size_.erase(place);
  }

  std::mutex mutex_;
  // Oldest first.
  std::list<Free> order_;
  BySize by_size_;
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
    // Sizes that an earlier phase of the program left here must not keep this one's out.
    Entry& oldest = entries_[next_];
    next_ = (next_ + 1) % entries_.size();
    GlobalPool().Give(oldest.memory, oldest.bytes);
    oldest = {memory, bytes};
  }

 private:
  struct Entry {
    void* memory = nullptr;
    size_t bytes = 0;
  };
  std::array<Entry, 8> entries_;
  size_t next_ = 0;
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
