#include "core/train/operations.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tersor::operations {
namespace {

double SumOf(View x) {
  double sum = 0;
  for (const double value : x) sum += value;
  return sum;
}

double Dot(View a, View b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// One row as y = factor * (x - mean).
struct NormedRow {
  double mean = 0;
  double factor = 0;
};

NormedRow DescribeRow(NormKind kind, double epsilon, View x) {
  const double width = static_cast<double>(x.size());
  NormedRow row;
  if (kind == NormKind::kLayer) row.mean = SumOf(x) / width;
  double squares = 0;
  for (const double value : x) squares += (value - row.mean) * (value - row.mean);
  row.factor = 1 / std::sqrt(squares / width + epsilon);
  return row;
}

double WeightOf(NormKind kind, double weight) { return kind == NormKind::kRmsPlusOne ? 1 + weight : weight; }

// One query head's probabilities over positions [begin, position], with each score's slope through the cap.
struct Probabilities {
  int64_t begin = 0;
  Values p, cap_slopes;
};

struct AttentionView {
  const AttentionSpec& spec;
  View queries, keys, values;

  int64_t query_width() const { return int64_t{spec.heads} * spec.head_size; }
  int64_t key_width() const { return int64_t{spec.kv_heads} * spec.head_size; }
  int64_t positions() const { return static_cast<int64_t>(queries.size()) / query_width(); }
  double scale() const { return spec.score_scale > 0 ? spec.score_scale : 1 / std::sqrt(spec.head_size); }
  int64_t QueryAt(int64_t position, int64_t head) const { return position * query_width() + head * spec.head_size; }
  int64_t KeyAt(int64_t position, int64_t head) const {
    return position * key_width() + head / (spec.heads / spec.kv_heads) * spec.head_size;
  }

  Probabilities Of(int64_t position, int64_t head) const {
    Probabilities row;
    row.begin = spec.sliding_window > 0 ? std::max<int64_t>(0, position - spec.sliding_window + 1) : 0;
    const View query = queries.subspan(QueryAt(position, head), spec.head_size);
    for (int64_t j = row.begin; j <= position; ++j) {
      const double score = scale() * Dot(query, keys.subspan(KeyAt(j, head), spec.head_size));
      row.p.push_back(Cap(spec.score_cap, score));
      row.cap_slopes.push_back(CapSlope(spec.score_cap, score));
    }
    const double largest = *std::max_element(row.p.begin(), row.p.end());
    double sum = 0;
    for (double& p : row.p) sum += p = std::exp(p - largest);
    for (double& p : row.p) p /= sum;
    return row;
  }
};

}  // namespace

Values Embed(View table, int64_t width, std::span<const int32_t> ids, double scale) {
  Values hidden;
  for (const int32_t id : ids) {
    for (int64_t k = 0; k < width; ++k) hidden.push_back(scale * table[id * width + k]);
  }
  return hidden;
}

void EmbedBackward(int64_t width, std::span<const int32_t> ids, double scale, View gradient, Values& table_gradient) {
  for (size_t i = 0; i < ids.size(); ++i) {
    for (int64_t k = 0; k < width; ++k) table_gradient[ids[i] * width + k] += scale * gradient[i * width + k];
  }
}

Values Linear(const LinearShape& shape, View x, View weight, View bias) {
  const int64_t rows = static_cast<int64_t>(x.size()) / shape.inputs;
  Values y(rows * shape.outputs);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < shape.outputs; ++i) {
      y[row * shape.outputs + i] =
          Dot(x.subspan(row * shape.inputs, shape.inputs), weight.subspan(i * shape.inputs, shape.inputs)) +
          (bias.empty() ? 0 : bias[i]);
    }
  }
  return y;
}

LinearGradients LinearBackward(const LinearShape& shape, View x, View weight, View gradient) {
  const int64_t rows = static_cast<int64_t>(x.size()) / shape.inputs;
  LinearGradients result{Values(x.size()), Values(weight.size()), Values(shape.outputs)};
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < shape.outputs; ++i) {
      const double g = gradient[row * shape.outputs + i];
      result.bias[i] += g;
      for (int64_t k = 0; k < shape.inputs; ++k) {
        result.x[row * shape.inputs + k] += g * weight[i * shape.inputs + k];
        result.weight[i * shape.inputs + k] += g * x[row * shape.inputs + k];
      }
    }
  }
  return result;
}

Values Norm(NormKind kind, double epsilon, View x, View weight, View bias) {
  const size_t width = weight.size();
  Values y(x.size());
  for (size_t at = 0; at < x.size(); at += width) {
    const NormedRow row = DescribeRow(kind, epsilon, x.subspan(at, width));
    for (size_t k = 0; k < width; ++k) {
      y[at + k] = row.factor * (x[at + k] - row.mean) * WeightOf(kind, weight[k]) + (bias.empty() ? 0 : bias[k]);
    }
  }
  return y;
}

NormGradients NormBackward(NormKind kind, double epsilon, View x, View weight, View gradient) {
  const size_t width = weight.size();
  NormGradients result{Values(x.size()), Values(width), Values(width)};
  for (size_t at = 0; at < x.size(); at += width) {
    const NormedRow row = DescribeRow(kind, epsilon, x.subspan(at, width));
    double mean = 0, along = 0;
    for (size_t k = 0; k < width; ++k) {
      const double normed = row.factor * (x[at + k] - row.mean), g = gradient[at + k] * WeightOf(kind, weight[k]);
      mean += g / static_cast<double>(width);
      along += g * normed / static_cast<double>(width);
      result.weight[k] += gradient[at + k] * normed;
      result.bias[k] += gradient[at + k];
    }
    if (kind != NormKind::kLayer) mean = 0;
    for (size_t k = 0; k < width; ++k) {
      const double normed = row.factor * (x[at + k] - row.mean), g = gradient[at + k] * WeightOf(kind, weight[k]);
      result.x[at + k] = row.factor * (g - mean - normed * along);
    }
  }
  return result;
}

Values Rope(int64_t head_size, View x, View angles) {
  Values y(x.begin(), x.end());
  const size_t half = angles.size();
  for (size_t at = 0; at < x.size(); at += head_size) {
    for (size_t k = 0; k < half; ++k) {
      const double a = x[at + k], b = x[at + half + k], c = std::cos(angles[k]), s = std::sin(angles[k]);
      y[at + k] = a * c - b * s;
      y[at + half + k] = b * c + a * s;
    }
  }
  return y;
}

Values RopeBackward(int64_t head_size, View gradient, View angles) {
  Values turned_back(angles.begin(), angles.end());
  for (double& angle : turned_back) angle = -angle;
  return Rope(head_size, gradient, turned_back);
}

double Activation(tersor::Activation activation, double x) {
  switch (activation) {
    case tersor::Activation::kSilu:
      return x / (1 + std::exp(-x));
    case tersor::Activation::kGelu:
      return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
    case tersor::Activation::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case tersor::Activation::kRelu:
      return std::max(x, 0.0);
  }
  return 0;
}

double ActivationSlope(tersor::Activation activation, double x) {
  switch (activation) {
    case tersor::Activation::kSilu: {
      const double s = 1 / (1 + std::exp(-x));
      return s + x * s * (1 - s);
    }
    case tersor::Activation::kGelu:
      return (1 + std::erf(x / std::numbers::sqrt2)) / 2 + x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    case tersor::Activation::kGeluTanh: {
      const double root = std::sqrt(2 / std::numbers::pi), t = std::tanh(root * (x + 0.044715 * x * x * x));
      return (1 + t) / 2 + x / 2 * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x);
    }
    case tersor::Activation::kRelu:
      return x > 0 ? 1 : 0;
  }
  return 0;
}

double Cap(double cap, double x) { return cap > 0 ? cap * std::tanh(x / cap) : x; }

double CapSlope(double cap, double x) {
  if (cap <= 0) return 1;
  const double t = std::tanh(x / cap);
  return 1 - t * t;
}

Values Attention(const AttentionSpec& spec, View queries, View keys, View values) {
  const AttentionView view{spec, queries, keys, values};
  Values outputs(queries.size());
  for (int64_t i = 0; i < view.positions(); ++i) {
    for (int64_t head = 0; head < spec.heads; ++head) {
      const Probabilities row = view.Of(i, head);
      for (size_t j = 0; j < row.p.size(); ++j) {
        const double* value = values.data() + view.KeyAt(row.begin + static_cast<int64_t>(j), head);
        for (int64_t k = 0; k < spec.head_size; ++k) outputs[view.QueryAt(i, head) + k] += row.p[j] * value[k];
      }
    }
  }
  return outputs;
}

AttentionGradients AttentionBackward(const AttentionSpec& spec, View queries, View keys, View values, View gradient) {
  const AttentionView view{spec, queries, keys, values};
  AttentionGradients result{Values(queries.size()), Values(keys.size()), Values(values.size())};
  for (int64_t i = 0; i < view.positions(); ++i) {
    for (int64_t head = 0; head < spec.heads; ++head) {
      const Probabilities row = view.Of(i, head);
      const int64_t query = view.QueryAt(i, head);
      const View g = gradient.subspan(query, spec.head_size);
      Values slopes;
      double mean = 0;
      for (size_t j = 0; j < row.p.size(); ++j) {
        slopes.push_back(Dot(g, values.subspan(view.KeyAt(row.begin + static_cast<int64_t>(j), head), spec.head_size)));
        mean += row.p[j] * slopes[j];
      }
      for (size_t j = 0; j < row.p.size(); ++j) {
        const int64_t key = view.KeyAt(row.begin + static_cast<int64_t>(j), head);
        const double score = row.p[j] * (slopes[j] - mean) * row.cap_slopes[j] * view.scale();
        for (int64_t k = 0; k < spec.head_size; ++k) {
          result.queries[query + k] += score * keys[key + k];
          result.keys[key + k] += score * queries[query + k];
          result.values[key + k] += row.p[j] * g[k];
        }
      }
    }
  }
  return result;
}

}  // namespace tersor::operations
