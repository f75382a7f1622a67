#include "tests/core/model/synthetic_model.h"

#include <cmath>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/encoding/dense_tensor.h"

namespace tersor {
namespace {

class Weights {
 public:
  explicit Weights(uint32_t seed) : generator_(seed) {}

  EncodedTensorPtr Matrix(int64_t rows, int64_t columns) {
    return Make({rows, columns}, 0, 1.0f / std::sqrt(static_cast<float>(columns)));
  }
  EncodedTensorPtr Embedding(int64_t rows, int64_t columns) { return Make({rows, columns}, 0, 1); }
  EncodedTensorPtr Vector(int64_t size, float mean, float deviation) { return Make({size}, mean, deviation); }

 private:
  EncodedTensorPtr Make(Shape shape, float mean, float deviation) {
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> values(ElementCount(shape));
    for (float& value : values) value = normal(generator_);
    return *DenseTensor::FromFloats(std::move(shape), std::move(values));
  }

  std::mt19937 generator_;
};

void AddLayer(const ModelSpec& spec, int index, Weights& weights, Model& model) {
  const LayerSpec& layer = spec.layers[index];
  const AttentionSpec& a = layer.attention;
  const std::string prefix = absl::StrCat("model.layers.", index, ".");
  auto linear = [&](const char* name, int64_t outputs, int64_t inputs, bool bias) {
    model.parameters[absl::StrCat(prefix, name, ".weight")] = weights.Matrix(outputs, inputs);
    if (bias) model.parameters[absl::StrCat(prefix, name, ".bias")] = weights.Vector(outputs, 0, 0.1f);
  };
  const int64_t queries = a.heads * a.head_size, keys = a.kv_heads * a.head_size;
  linear("self_attn.q_proj", queries, spec.width, a.qkv_bias);
  linear("self_attn.k_proj", keys, spec.width, a.qkv_bias);
  linear("self_attn.v_proj", keys, spec.width, a.qkv_bias);
  linear("self_attn.o_proj", spec.width, queries, a.output_bias);
  linear("mlp.gate_proj", layer.inner_width, spec.width, layer.mlp_bias);
  linear("mlp.up_proj", layer.inner_width, spec.width, layer.mlp_bias);
  linear("mlp.down_proj", spec.width, layer.inner_width, layer.mlp_bias);
  model.parameters[prefix + "input_layernorm.weight"] = weights.Vector(spec.width, 1, 0.2f);
  model.parameters[prefix + "post_attention_layernorm.weight"] = weights.Vector(spec.width, 1, 0.2f);
  if (!a.qk_norm) return;
  model.parameters[prefix + "self_attn.q_norm.weight"] = weights.Vector(a.head_size, 1, 0.2f);
  model.parameters[prefix + "self_attn.k_norm.weight"] = weights.Vector(a.head_size, 1, 0.2f);
}

}  // namespace

ModelSpec SmallSpec() {
  ModelSpec spec;
  spec.architecture = "llama";
  spec.vocabulary = 1100;
  spec.width = 72;
  spec.context_length = 512;
  LayerSpec layer;
  layer.attention.heads = 6;
  layer.attention.kv_heads = 2;
  layer.attention.head_size = 20;
  layer.attention.qkv_bias = layer.attention.output_bias = layer.attention.qk_norm = layer.mlp_bias = true;
  layer.inner_width = 100;
  spec.layers.assign(2, layer);
  spec.layers[1].attention.sliding_window = 37;
  return spec;
}

Model SyntheticModel(const ModelSpec& spec, uint32_t seed) {
  Weights weights(seed);
  Model model;
  model.spec = spec;
  model.parameters[std::string(kEmbeddingName)] = weights.Embedding(spec.vocabulary, spec.width);
  if (!spec.tied) model.parameters[std::string(kHeadName)] = weights.Matrix(spec.vocabulary, spec.width);
  model.parameters[std::string(kFinalNormName)] = weights.Vector(spec.width, 1, 0.2f);
  for (int i = 0; i < static_cast<int>(spec.layers.size()); ++i) AddLayer(spec, i, weights, model);
  return model;
}

std::vector<int32_t> RandomIds(const ModelSpec& spec, int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<int32_t> ids(count);
  for (int32_t& id : ids) id = static_cast<int32_t>(generator() % spec.vocabulary);
  return ids;
}

}  // namespace tersor
