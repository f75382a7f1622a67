#include "core/kernels/reference.h"

#include <algorithm>
#include <cmath>

namespace tersor::reference {

std::vector<double> MatMul(std::span<const float> x, std::span<const float> weights, std::span<const float> bias,
                           int64_t rows, int64_t outputs, int64_t inputs) {
  std::vector<double> y(rows * outputs);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t output = 0; output < outputs; ++output) {
      double sum = bias.empty() ? 0 : bias[output];
      for (int64_t i = 0; i < inputs; ++i) {
        sum += static_cast<double>(x[row * inputs + i]) * weights[output * inputs + i];
      }
      y[row * outputs + output] = sum;
    }
  }
  return y;
}

std::vector<double> RmsNorm(std::span<const float> x, std::span<const float> weight, double epsilon) {
  double squares = 0;
  for (const float value : x) squares += static_cast<double>(value) * value;
  const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + epsilon);
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scale * weight[i];
  return y;
}

std::vector<double> LayerNorm(std::span<const float> x, std::span<const float> weight, std::span<const float> bias,
                              double epsilon) {
  double mean = 0, variance = 0;
  for (const float value : x) mean += value;
  mean /= static_cast<double>(x.size());
  for (const float value : x) variance += (value - mean) * (value - mean);
  const double scale = 1 / std::sqrt(variance / static_cast<double>(x.size()) + epsilon);
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
  return y;
}

std::vector<double> Activate(Activation activation, std::span<const float> x) {
  std::vector<double> y(x.begin(), x.end());
  for (double& v : y) {
    switch (activation) {
      case Activation::kSilu:
        v = v / (1 + std::exp(-v));
        break;
      case Activation::kGelu:
        v = v / 2 * (1 + std::erf(v / std::sqrt(2.0)));
        break;
      case Activation::kGeluTanh:
        v = v / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (v + 0.044715 * v * v * v)));
        break;
      case Activation::kRelu:
        v = std::max(v, 0.0);
        break;
    }
  }
  return y;
}

std::vector<double> Rope(std::span<const float> x, int64_t head_size, std::span<const float> cosines,
                         std::span<const float> sines) {
  std::vector<double> y(x.size());
  const int64_t half = head_size / 2;
  for (size_t head = 0; head < x.size(); head += head_size) {
    for (int64_t i = 0; i < half; ++i) {
      const double a = x[head + i], b = x[head + half + i];
      y[head + i] = a * cosines[i] - b * sines[i];
      y[head + half + i] = b * cosines[i] + a * sines[i];
    }
  }
  return y;
}

std::vector<double> SwiGlu(std::span<const float> gate, std::span<const float> up) {
  std::vector<double> y(gate.size());
  for (size_t i = 0; i < gate.size(); ++i) y[i] = gate[i] / (1 + std::exp(-static_cast<double>(gate[i]))) * up[i];
  return y;
}

std::vector<double> Attend(const AttentionShape& shape, std::span<const float> queries, std::span<const float> keys,
                           std::span<const float> values) {
  const int64_t d = shape.head_size;
  const int64_t query_width = shape.heads * d, key_width = shape.kv_heads * d;
  const int64_t positions = static_cast<int64_t>(queries.size()) / query_width;
  std::vector<double> outputs(queries.size());
  for (int64_t position = 0; position < positions; ++position) {
    const int64_t first = shape.window > 0 ? std::max<int64_t>(0, position - shape.window + 1) : 0;
    for (int64_t head = 0; head < shape.heads; ++head) {
      const float* query = &queries[position * query_width + head * d];
      const int64_t kv = head / (shape.heads / shape.kv_heads) * d;
      std::vector<double> weights;
      for (int64_t key = first; key <= position; ++key) {
        double score = 0;
        for (int64_t i = 0; i < d; ++i) score += static_cast<double>(query[i]) * keys[key * key_width + kv + i];
        score /= std::sqrt(static_cast<double>(d));
        if (shape.score_cap > 0) score = shape.score_cap * std::tanh(score / shape.score_cap);
        weights.push_back(score);
      }
      const double largest = *std::max_element(weights.begin(), weights.end());
      double sum = 0;
      for (double& weight : weights) sum += weight = std::exp(weight - largest);
      double* output = &outputs[position * query_width + head * d];
      for (int64_t key = first; key <= position; ++key) {
        for (int64_t i = 0; i < d; ++i) output[i] += weights[key - first] / sum * values[key * key_width + kv + i];
      }
    }
  }
  return outputs;
}

double LogSumExp(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

double Divergence(std::span<const float> dense, std::span<const float> other) {
  const double dense_sum = LogSumExp(dense), other_sum = LogSumExp(other);
  double divergence = 0;
  for (size_t i = 0; i < dense.size(); ++i) {
    const double log_p = dense[i] - dense_sum;
    divergence += std::exp(log_p) * (log_p - (other[i] - other_sum));
  }
  return divergence;
}

}  // namespace tersor::reference
