// Working memory that is taken again and again: kept by the process, so that its pages are faulted in once.
#ifndef TERSOR_CORE_KERNELS_SCRATCH_H_
#define TERSOR_CORE_KERNELS_SCRATCH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace tersor {

// Uninitialised floats, aligned to 64 bytes. Goes back to a process-wide pool (bounded; see scratch.cc) when destroyed.
// Acquiring and releasing are thread-safe.
class ScratchBuffer {
 public:
  ScratchBuffer() = default;
  explicit ScratchBuffer(int64_t floats);
  ~ScratchBuffer();
  ScratchBuffer(ScratchBuffer&& other) noexcept { *this = std::move(other); }
  ScratchBuffer& operator=(ScratchBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_bytes_, other.capacity_bytes_);
    return *this;
  }

  float* data() { return data_; }
  const float* data() const { return data_; }
  int64_t size() const { return size_; }
  std::span<float> span() { return {data_, static_cast<size_t>(size_)}; }
  std::span<const float> span() const { return {data_, static_cast<size_t>(size_)}; }

 private:
  float* data_ = nullptr;
  int64_t size_ = 0;
  size_t capacity_bytes_ = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_SCRATCH_H_
