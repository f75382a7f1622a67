// The operations that models are made of, each with its backward pass beside it, plainly and in double: what the fast
// ones (core/kernels, TrainedBlock) are compared with. Matrices are row-major; gradients are added to.
#ifndef TERSOR_CORE_TRAIN_OPERATIONS_H_
#define TERSOR_CORE_TRAIN_OPERATIONS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/kernels/activations.h"
#include "core/model/model_spec.h"

namespace tersor::operations {

using Values = std::vector<double>;
using View = std::span<const double>;

// hidden row i = scale * table row ids[i].
Values Embed(View table, int64_t width, std::span<const int32_t> ids, double scale);
void EmbedBackward(int64_t width, std::span<const int32_t> ids, double scale, View gradient, Values& table_gradient);

// y [rows, outputs] = x [rows, inputs] W [outputs, inputs]^T + bias (empty: none).
struct LinearShape {
  int64_t outputs = 0;
  int64_t inputs = 0;
};
struct LinearGradients {
  Values x, weight, bias;
};
Values Linear(const LinearShape& shape, View x, View weight, View bias);
LinearGradients LinearBackward(const LinearShape& shape, View x, View weight, View gradient);

// Rows of `weight.size()` values; `bias` is of NormKind::kLayer alone.
struct NormGradients {
  Values x, weight, bias;
};
Values Norm(NormKind kind, double epsilon, View x, View weight, View bias);
NormGradients NormBackward(NormKind kind, double epsilon, View x, View weight, View gradient);

// The first 2 * angles.size() elements of each head of `head_size` turn by `angles`, half-split.
Values Rope(int64_t head_size, View x, View angles);
Values RopeBackward(int64_t head_size, View gradient, View angles);

double Activation(tersor::Activation activation, double x);
double ActivationSlope(tersor::Activation activation, double x);

// l becomes cap * tanh(l / cap); 0 leaves it.
double Cap(double cap, double x);
double CapSlope(double cap, double x);

// Causal attention of one whole sequence: queries [positions, heads x head_size], keys and values
// [positions, kv_heads x head_size]. A spec's score_scale of 0 is 1 / sqrt(head_size).
struct AttentionGradients {
  Values queries, keys, values;
};
Values Attention(const AttentionSpec& spec, View queries, View keys, View values);
AttentionGradients AttentionBackward(const AttentionSpec& spec, View queries, View keys, View values, View gradient);

}  // namespace tersor::operations

#endif  // TERSOR_CORE_TRAIN_OPERATIONS_H_
