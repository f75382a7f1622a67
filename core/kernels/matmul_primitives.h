// Single-threaded oneDNN matmul primitives, made once a shape. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_MATMUL_PRIMITIVES_H_
#define TERSOR_CORE_KERNELS_MATMUL_PRIMITIVES_H_

#include <cstdint>
#include <memory>

#include "core/kernels/precision.h"
#include "dnnl.hpp"

namespace tersor {

struct MatmulShape {
  Precision precision = Precision::kF32;
  int64_t rows = 0;
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t x_stride = 0;
  int64_t y_stride = 0;
  bool bias = false;
  bool accumulate = false;

  auto operator<=>(const MatmulShape&) const = default;
};

struct MatmulPrimitive {
  dnnl::matmul primitive;
  dnnl::memory::desc x, weights, bias, y, scratchpad;
};

// oneDNN sizes its work by OpenMP's thread count at creation and execution: one thread while this lives.
class SingleThreadScope {
 public:
  SingleThreadScope();
  ~SingleThreadScope();

 private:
  int before_;
};

const dnnl::engine& CpuEngine();
dnnl::memory::data_type OperandType(Precision precision);
// The layout oneDNN likes for W^T of these sizes; the same for every number of rows. Throws dnnl::error.
dnnl::memory::desc PackedLayout(Precision precision, int64_t outputs, int64_t inputs);
// Cached for the process; thread-safe. Throws dnnl::error.
std::shared_ptr<const MatmulPrimitive> FindMatmul(const MatmulShape& shape);

// The same for products of unsigned with signed 8-bit integers into 32-bit ones, rows laid end to end.
dnnl::memory::desc Int8Layout(int64_t outputs, int64_t inputs);
std::shared_ptr<const MatmulPrimitive> FindInt8Matmul(int64_t rows, int64_t outputs, int64_t inputs);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_MATMUL_PRIMITIVES_H_
