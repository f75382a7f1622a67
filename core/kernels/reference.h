// Plain versions of the kernels, in double: what the fast ones are compared with.
#ifndef TERSOR_CORE_KERNELS_REFERENCE_H_
#define TERSOR_CORE_KERNELS_REFERENCE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/kernels/activations.h"

namespace tersor::reference {

// y [rows, outputs] = x [rows, inputs] W [outputs, inputs]^T + bias (empty: none).
std::vector<double> MatMul(std::span<const float> x, std::span<const float> weights, std::span<const float> bias,
                           int64_t rows, int64_t outputs, int64_t inputs);

// One row.
std::vector<double> RmsNorm(std::span<const float> x, std::span<const float> weight, double epsilon);

std::vector<double> LayerNorm(std::span<const float> x, std::span<const float> weight, std::span<const float> bias,
                              double epsilon);

// One row of heads, half-split.
std::vector<double> Rope(std::span<const float> x, int64_t head_size, std::span<const float> cosines,
                         std::span<const float> sines);

std::vector<double> SwiGlu(std::span<const float> gate, std::span<const float> up);

std::vector<double> Activate(Activation activation, std::span<const float> x);

struct AttentionShape {
  int64_t heads = 1;
  int64_t kv_heads = 1;
  int64_t head_size = 1;
  // 0: none.
  int64_t window = 0;
  // 0: none.
  double score_cap = 0;
};

// Causal attention of one whole sequence: queries [positions, heads x head_size], keys and values
// [positions, kv_heads x head_size] -> [positions, heads x head_size].
std::vector<double> Attend(const AttentionShape& shape, std::span<const float> queries, std::span<const float> keys,
                           std::span<const float> values);

double LogSumExp(std::span<const float> logits);

// KL(softmax(dense) || softmax(other)) in nats.
double Divergence(std::span<const float> dense, std::span<const float> other);

}  // namespace tersor::reference

#endif  // TERSOR_CORE_KERNELS_REFERENCE_H_
