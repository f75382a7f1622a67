// Loading of a decoder block's parameters.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/model/decoder_block.h"
#include "core/model/weights.h"

namespace tersor {
namespace {

absl::Status CheckSpec(const ModelSpec& model, int index) {
  if (index < 0 || index >= static_cast<int>(model.layers.size())) {
    return absl::OutOfRangeError(absl::StrCat("the model has no block ", index));
  }
  const LayerSpec& layer = model.layers[index];
  const AttentionSpec& a = layer.attention;
  if (a.heads <= 0 || a.kv_heads <= 0 || a.heads % a.kv_heads != 0 || a.head_size <= 0 || a.head_size % 2 != 0 ||
      a.sliding_window < 0 || layer.inner_width <= 0 || model.width <= 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "block ", index, " cannot be computed: width ", model.width, ", inner width ", layer.inner_width, ", ", a.heads,
        " heads, ", a.kv_heads, " key-value heads, head size ", a.head_size, ", window ", a.sliding_window));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Block>> Block::Load(const Model& model, int index, const ComputeOptions& options) {
  return DecoderBlock::Create(model, index, options);
}

absl::StatusOr<std::unique_ptr<Block>> DecoderBlock::Create(const Model& model, int index,
                                                            const ComputeOptions& options) {
  TERSOR_RETURN_IF_ERROR(CheckSpec(model.spec, index));
  std::unique_ptr<DecoderBlock> block(new DecoderBlock(model.spec, index, options));
  TERSOR_RETURN_IF_ERROR(block->LoadParameters(model));
  return std::unique_ptr<Block>(std::move(block));
}

DecoderBlock::DecoderBlock(const ModelSpec& model, int index, const ComputeOptions& options)
    : spec_(model.layers[index]),
      index_(index),
      options_(options),
      width_(model.width),
      epsilon_(static_cast<float>(model.norm_epsilon)) {
  DescribeLinears();
}

void DecoderBlock::DescribeLinears() {
  const AttentionSpec& a = spec_.attention;
  const int64_t queries = static_cast<int64_t>(a.heads) * a.head_size;
  const int64_t keys = static_cast<int64_t>(a.kv_heads) * a.head_size;
  const std::string prefix = absl::StrCat("model.layers.", index_, ".");
  linears_[kQuery].layer = {absl::StrCat(prefix, "self_attn.q_proj"), queries, width_};
  linears_[kKey].layer = {absl::StrCat(prefix, "self_attn.k_proj"), keys, width_};
  linears_[kValue].layer = {absl::StrCat(prefix, "self_attn.v_proj"), keys, width_};
  linears_[kOutput].layer = {absl::StrCat(prefix, "self_attn.o_proj"), width_, queries};
  linears_[kGate].layer = {absl::StrCat(prefix, "mlp.gate_proj"), spec_.inner_width, width_};
  linears_[kUp].layer = {absl::StrCat(prefix, "mlp.up_proj"), spec_.inner_width, width_};
  linears_[kDown].layer = {absl::StrCat(prefix, "mlp.down_proj"), width_, spec_.inner_width};
  segments_ = {{"qkv", width_, {linears_[kQuery].layer, linears_[kKey].layer, linears_[kValue].layer}},
               {"out", queries, {linears_[kOutput].layer}},
               {"gate_up", width_, {linears_[kGate].layer, linears_[kUp].layer}},
               {"down", spec_.inner_width, {linears_[kDown].layer}}};
}

absl::Status DecoderBlock::LoadParameters(const Model& model) {
  const AttentionSpec& a = spec_.attention;
  const std::string prefix = absl::StrCat("model.layers.", index_, ".");
  for (int i = 0; i < kLinears; ++i) {
    Linear& linear = linears_[i];
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr weight, model.Find(linear.layer.name + ".weight"));
    TERSOR_RETURN_IF_ERROR(SetWeight(linear.layer.name, *weight));
    const bool has_bias = i <= kValue ? a.qkv_bias : i == kOutput ? a.output_bias : spec_.mlp_bias;
    if (!has_bias) continue;
    TERSOR_ASSIGN_OR_RETURN(linear.bias, LoadVector(model, linear.layer.name + ".bias", linear.layer.outputs));
  }
  TERSOR_ASSIGN_OR_RETURN(input_norm_, LoadVector(model, prefix + "input_layernorm.weight", width_));
  TERSOR_ASSIGN_OR_RETURN(inner_norm_, LoadVector(model, prefix + "post_attention_layernorm.weight", width_));
  if (!a.qk_norm) return absl::OkStatus();
  TERSOR_ASSIGN_OR_RETURN(query_norm_, LoadVector(model, prefix + "self_attn.q_norm.weight", a.head_size));
  TERSOR_ASSIGN_OR_RETURN(key_norm_, LoadVector(model, prefix + "self_attn.k_norm.weight", a.head_size));
  return absl::OkStatus();
}

absl::Status DecoderBlock::SetWeight(const std::string& linear_name, const EncodedTensor& weight) {
  for (Linear& linear : linears_) {
    if (linear.layer.name != linear_name) continue;
    TERSOR_RETURN_IF_ERROR(CheckShape(linear_name + ".weight", weight, linear.layer.outputs, linear.layer.inputs));
    TERSOR_ASSIGN_OR_RETURN(linear.weight, PackRows(weight, 0, linear.layer.outputs, options_));
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("block ", index_, " has no linear layer ", linear_name));
}

}  // namespace tersor
