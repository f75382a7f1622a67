#include "core/kernels/weight_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

namespace tersor {
namespace {

constexpr size_t kHugePage = size_t{1} << 21;
constexpr size_t kSlabBytes = size_t{1} << 24;
// Slabs that still take buffers: a few, so that small ones fill the gaps that large ones leave.
constexpr size_t kOpenSlabs = 4;
constexpr size_t kAlignment = 64;

// Mapped by itself and not taken from the heap, which would keep the pages, and their being huge, for whatever comes
// next.
struct Slab {
  explicit Slab(size_t bytes)
      : bytes(bytes),
        mapping(mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (mapping == MAP_FAILED) {
      // The heap has some left, or throws as for any other allocation.
      memory = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kHugePage}));
      return;
    }
    const size_t past = reinterpret_cast<uintptr_t>(mapping) % kHugePage;
    memory = static_cast<std::byte*>(mapping) + (kHugePage - past) % kHugePage;
    // Advice: without huge pages it is as right, but slower.
    madvise(memory, bytes, MADV_HUGEPAGE);
  }
  ~Slab() {
    if (mapping == MAP_FAILED) {
      ::operator delete (memory, std::align_val_t{kHugePage});
    } else {
      munmap(mapping, bytes + kHugePage);
    }
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  const size_t bytes;
  void* const mapping;
  std::byte* memory = nullptr;
  size_t used = 0;
};

class Slabs {
 public:
  std::shared_ptr<float> Take(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(open_, [](const std::weak_ptr<Slab>& slab) { return slab.expired(); });
    for (const std::weak_ptr<Slab>& open : open_) {
      std::shared_ptr<Slab> slab = open.lock();
      if (slab != nullptr && slab->bytes - slab->used >= bytes) return Cut(std::move(slab), bytes);
    }
    auto slab = std::make_shared<Slab>(std::max(kSlabBytes, (bytes + kHugePage - 1) / kHugePage * kHugePage));
    if (open_.size() == kOpenSlabs) open_.erase(open_.begin());
    open_.push_back(slab);
    return Cut(std::move(slab), bytes);
  }

 private:
  static std::shared_ptr<float> Cut(std::shared_ptr<Slab> slab, size_t bytes) {
    float* data = reinterpret_cast<float*>(slab->memory + slab->used);
    slab->used += bytes;
    return {std::move(slab), data};
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<Slab>> open_;
};

Slabs& GlobalSlabs() {
  // Never destroyed: threads may still drop weights while the process ends.
  static Slabs* const slabs = new Slabs;
  return *slabs;
}

}  // namespace

WeightBuffer::WeightBuffer(int64_t floats) : size_(std::max<int64_t>(floats, 0)) {
  if (size_ == 0) return;
  const size_t bytes = static_cast<size_t>(size_) * sizeof(float);
  data_ = GlobalSlabs().Take((bytes + kAlignment - 1) / kAlignment * kAlignment);
}

}  // namespace tersor
