#include "core/kernels/matmul_primitives.h"

#include <omp.h>

#include <map>
#include <mutex>
#include <tuple>

namespace tersor {
namespace {

using dnnl::memory;

// The largest row tile decides the layout of the weights; smaller tiles take it as it is.
constexpr int64_t kLayoutRows = 128;

dnnl::matmul::primitive_desc Describe(const MatmulShape& shape, const memory::desc& weights) {
  const memory::data_type operand = OperandType(shape.precision);
  const memory::desc x({shape.rows, shape.inputs}, operand, memory::dims{shape.x_stride, 1});
  const memory::desc y({shape.rows, shape.outputs}, memory::data_type::f32, memory::dims{shape.y_stride, 1});
  dnnl::primitive_attr attributes;
  attributes.set_fpmath_mode(dnnl::fpmath_mode::strict);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (shape.accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0f);
    attributes.set_post_ops(sum);
  }
  if (!shape.bias) return {CpuEngine(), x, weights, y, attributes};
  const memory::desc bias({1, shape.outputs}, memory::data_type::f32, memory::dims{shape.outputs, 1});
  return {CpuEngine(), x, weights, bias, y, attributes};
}

}  // namespace

SingleThreadScope::SingleThreadScope() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
SingleThreadScope::~SingleThreadScope() { omp_set_num_threads(before_); }

const dnnl::engine& CpuEngine() {
  static const dnnl::engine* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

memory::data_type OperandType(Precision precision) {
  return precision == Precision::kBF16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::desc PackedLayout(Precision precision, int64_t outputs, int64_t inputs) {
  // Asking the library takes as long as decoding a small matrix, and low-bit weights are laid out anew for each pass.
  static std::mutex* const mutex = new std::mutex;
  static auto* const cache = new std::map<std::tuple<Precision, int64_t, int64_t>, memory::desc>;
  const std::tuple key(precision, outputs, inputs);
  {
    std::lock_guard<std::mutex> lock(*mutex);
    const auto found = cache->find(key);
    if (found != cache->end()) return found->second;
  }
  SingleThreadScope one_thread;
  const memory::desc any({inputs, outputs}, OperandType(precision), memory::format_tag::any);
  MatmulShape shape;
  shape.precision = precision;
  shape.rows = kLayoutRows;
  shape.outputs = shape.y_stride = outputs;
  shape.inputs = shape.x_stride = inputs;
  const memory::desc layout = Describe(shape, any).weights_desc();
  std::lock_guard<std::mutex> lock(*mutex);
  return cache->emplace(key, layout).first->second;
}

std::shared_ptr<const MatmulPrimitive> FindMatmul(const MatmulShape& shape) {
  static std::mutex* const mutex = new std::mutex;
  static auto* const cache = new std::map<MatmulShape, std::shared_ptr<const MatmulPrimitive>>;
  {
    std::lock_guard<std::mutex> lock(*mutex);
    const auto found = cache->find(shape);
    if (found != cache->end()) return found->second;
  }
  SingleThreadScope one_thread;
  const auto description = Describe(shape, PackedLayout(shape.precision, shape.outputs, shape.inputs));
  auto made = std::make_shared<const MatmulPrimitive>(
      MatmulPrimitive{dnnl::matmul(description), description.src_desc(), description.weights_desc(),
                      description.bias_desc(), description.dst_desc(), description.scratchpad_desc()});
  std::lock_guard<std::mutex> lock(*mutex);
  return cache->emplace(shape, std::move(made)).first->second;
}

namespace {

dnnl::matmul::primitive_desc DescribeInt8(int64_t rows, int64_t outputs, int64_t inputs, const memory::desc& weights) {
  const memory::desc x({rows, inputs}, memory::data_type::u8, memory::dims{inputs, 1});
  const memory::desc y({rows, outputs}, memory::data_type::s32, memory::dims{outputs, 1});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {CpuEngine(), x, weights, y, attributes};
}

}  // namespace

memory::desc Int8Layout(int64_t outputs, int64_t inputs) {
  SingleThreadScope one_thread;
  const memory::desc any({inputs, outputs}, memory::data_type::s8, memory::format_tag::any);
  return DescribeInt8(kLayoutRows, outputs, inputs, any).weights_desc();
}

std::shared_ptr<const MatmulPrimitive> FindInt8Matmul(int64_t rows, int64_t outputs, int64_t inputs) {
  static std::mutex* const mutex = new std::mutex;
  static auto* const cache =
      new std::map<std::tuple<int64_t, int64_t, int64_t>, std::shared_ptr<const MatmulPrimitive>>;
  const std::tuple key(rows, outputs, inputs);
  {
    std::lock_guard<std::mutex> lock(*mutex);
    const auto found = cache->find(key);
    if (found != cache->end()) return found->second;
  }
  SingleThreadScope one_thread;
  const auto description = DescribeInt8(rows, outputs, inputs, Int8Layout(outputs, inputs));
  auto made = std::make_shared<const MatmulPrimitive>(
      MatmulPrimitive{dnnl::matmul(description), description.src_desc(), description.weights_desc(), memory::desc(),
                      description.dst_desc(), description.scratchpad_desc()});
  std::lock_guard<std::mutex> lock(*mutex);
  return cache->emplace(key, std::move(made)).first->second;
}

}  // namespace tersor
