#include "core/model/fold_group.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "core/encoding/dense_tensor.h"

namespace tersor {
namespace {

std::vector<int64_t> Identity(int64_t size) {
  std::vector<int64_t> indices(size);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

// Input j of the output projection is a value of head j / head_size, which shares the key-value head's.
std::vector<int64_t> ValueOutputs(const AttentionSpec& attention) {
  const int64_t size = attention.head_size, sharing = attention.heads / attention.kv_heads;
  std::vector<int64_t> outputs(attention.heads * size);
  for (size_t j = 0; j < outputs.size(); ++j) {
    const int64_t head = static_cast<int64_t>(j) / size;
    outputs[j] = head / sharing * size + static_cast<int64_t>(j) % size;
  }
  return outputs;
}

absl::Status Put(const std::string& name, const EncodedTensor& old, std::vector<float> values, Model& model) {
  TERSOR_ASSIGN_OR_RETURN(model.parameters[name], DenseTensor::FromFloats(old.shape(), std::move(values)));
  return absl::OkStatus();
}

// Rows of a matrix, or values of a vector, over the scales.
absl::Status DivideOutputs(const std::string& name, const std::vector<float>& scales, Model& model) {
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr maker, model.Find(name));
  if (maker->shape()[0] != static_cast<int64_t>(scales.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat(scales.size(), " scales for ", name, " of shape ", ShapeString(maker->shape())));
  }
  std::vector<float> values = maker->Decode();
  const size_t width = values.size() / scales.size();
  for (size_t i = 0; i < values.size(); ++i) values[i] /= scales[i / width];
  return Put(name, *maker, std::move(values), model);
}

}  // namespace

std::vector<FoldGroup> FoldGroupsOf(const Model& model, int block) {
  const LayerSpec& layer = model.spec.layers[block];
  const AttentionSpec& attention = layer.attention;
  const std::string prefix = absl::StrCat("model.layers.", block, ".");
  const auto name = [&](absl::string_view part) { return absl::StrCat(prefix, part); };
  std::vector<FoldGroup> groups = {{0,
                                    {name("self_attn.q_proj"), name("self_attn.k_proj"), name("self_attn.v_proj")},
                                    name("input_layernorm.weight"),
                                    name("input_layernorm.bias"),
                                    Identity(model.spec.width),
                                    model.spec.width},
                                   {1,
                                    {name("self_attn.o_proj")},
                                    name("self_attn.v_proj.weight"),
                                    name("self_attn.v_proj.bias"),
                                    ValueOutputs(attention),
                                    int64_t{attention.kv_heads} * attention.head_size,
                                    /*is_norm=*/false},
                                   {2,
                                    {name("mlp.gate_proj"), name("mlp.up_proj")},
                                    name("post_attention_layernorm.weight"),
                                    name("post_attention_layernorm.bias"),
                                    Identity(model.spec.width),
                                    model.spec.width},
                                   {3,
                                    {name("mlp.down_proj")},
                                    name("mlp.up_proj.weight"),
                                    name("mlp.up_proj.bias"),
                                    Identity(layer.inner_width),
                                    layer.inner_width,
                                    /*is_norm=*/false}};
  const auto present = [&](const std::string& parameter) { return model.parameters.count(parameter) > 0; };
  std::erase_if(groups, [&](const FoldGroup& group) {
    const bool readable = std::all_of(group.readers.begin(), group.readers.end(),
                                      [&](const std::string& reader) { return present(reader + ".weight"); });
    return !present(group.maker) || !readable;
  });
  for (FoldGroup& group : groups) {
    if (!present(group.maker_bias)) group.maker_bias.clear();
  }
  return groups;
}

absl::Status FoldScales(const FoldGroup& group, const std::vector<float>& scales, Model& model) {
  for (size_t i = 0; i < scales.size(); ++i) {
    if (std::isfinite(scales[i]) && scales[i] > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("scale ", i, " of ", group.maker, " is ", scales[i]));
  }
  TERSOR_RETURN_IF_ERROR(DivideOutputs(group.maker, scales, model));
  if (!group.maker_bias.empty()) TERSOR_RETURN_IF_ERROR(DivideOutputs(group.maker_bias, scales, model));
  std::vector<float> by_input;
  for (const int64_t output : group.output_of) by_input.push_back(scales[output]);
  for (const std::string& reader : group.readers) {
    const std::string name = reader + ".weight";
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr weight, model.Find(name));
    std::vector<float> values = weight->Decode();
    for (size_t first = 0; first < values.size(); first += by_input.size()) {
      for (size_t i = 0; i < by_input.size(); ++i) values[first + i] *= by_input[i];
    }
    TERSOR_RETURN_IF_ERROR(Put(name, *weight, std::move(values), model));
  }
  return absl::OkStatus();
}

}  // namespace tersor
