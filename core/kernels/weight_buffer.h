// Memory of weights: laid out on huge pages, as a token reads all of it and would spend its time on page tables.
#ifndef TERSOR_CORE_KERNELS_WEIGHT_BUFFER_H_
#define TERSOR_CORE_KERNELS_WEIGHT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tersor {

// Uninitialised floats, aligned to 64 bytes, that share huge pages with the buffers made before and after. For what
// lives as long as a model: pages go back to the system when the last buffer on their slab (16 MiB, or one large
// buffer) has gone. Making and destroying them is thread-safe.
class WeightBuffer {
 public:
  WeightBuffer() = default;
  explicit WeightBuffer(int64_t floats);

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  int64_t size() const { return size_; }

 private:
  // Keeps its slab.
  std::shared_ptr<float> data_;
  int64_t size_ = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_WEIGHT_BUFFER_H_
