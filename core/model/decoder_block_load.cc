// Loading of a decoder block's parameters.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kernels/parallel.h"
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

absl::StatusOr<std::vector<Segment>> Block::Describe(const Model& model, int index) {
  return DecoderBlock::Describe(model, index);
}

absl::StatusOr<std::vector<Segment>> DecoderBlock::Describe(const Model& model, int index) {
  TERSOR_RETURN_IF_ERROR(CheckSpec(model.spec, index));
  return DecoderBlock(model, index, {}).segments_;
}

absl::StatusOr<std::unique_ptr<Block>> DecoderBlock::Create(const Model& model, int index,
                                                            const ComputeOptions& options) {
  TERSOR_RETURN_IF_ERROR(CheckSpec(model.spec, index));
  std::unique_ptr<DecoderBlock> block(new DecoderBlock(model, index, options));
  TERSOR_RETURN_IF_ERROR(block->LoadParameters(model));
  return std::unique_ptr<Block>(std::move(block));
}

DecoderBlock::DecoderBlock(const Model& model, int index, const ComputeOptions& options)
    : spec_(model.spec.layers[index]),
      index_(index),
      options_(options),
      kv_format_(model.kv_format),
      width_(model.spec.width),
      has_rope_(model.spec.positions == PositionKind::kRope) {
  DescribeLinears();
}

void DecoderBlock::DescribeLinears() {
  const AttentionSpec& a = spec_.attention;
  const int64_t queries = static_cast<int64_t>(a.heads) * a.head_size;
  const int64_t keys = static_cast<int64_t>(a.kv_heads) * a.head_size;
  const std::string prefix = absl::StrCat("model.layers.", index_, ".");
  parts_[kQuery].layer = {absl::StrCat(prefix, "self_attn.q_proj"), queries, width_};
  parts_[kKey].layer = {absl::StrCat(prefix, "self_attn.k_proj"), keys, width_};
  parts_[kValue].layer = {absl::StrCat(prefix, "self_attn.v_proj"), keys, width_};
  parts_[kOutput].layer = {absl::StrCat(prefix, "self_attn.o_proj"), width_, queries};
  parts_[kGate].layer = {absl::StrCat(prefix, "mlp.gate_proj"), spec_.inner_width, width_};
  parts_[kUp].layer = {absl::StrCat(prefix, "mlp.up_proj"), spec_.inner_width, width_};
  parts_[kDown].layer = {absl::StrCat(prefix, "mlp.down_proj"), width_, spec_.inner_width};
  segments_ = {{"qkv", width_, {parts_[kQuery].layer, parts_[kKey].layer, parts_[kValue].layer}},
               {"out", queries, {parts_[kOutput].layer}},
               {"gate_up", width_, {parts_[kUp].layer}},
               {"down", spec_.inner_width, {parts_[kDown].layer}}};
  if (spec_.gated) segments_[kGateUpSegment].linears = {parts_[kGate].layer, parts_[kUp].layer};
}

absl::Status DecoderBlock::LoadParameters(const Model& model) {
  const AttentionSpec& a = spec_.attention;
  for (int i = 0; i < kLinears; ++i) {
    if (i == kGate && !spec_.gated) continue;
    Part& part = parts_[i];
    const bool has_bias = i <= kValue ? a.qkv_bias : i == kOutput ? a.output_bias : spec_.mlp_bias;
    if (has_bias) {
      TERSOR_ASSIGN_OR_RETURN(part.bias, LoadVector(model, part.layer.name + ".bias", part.layer.outputs));
    }
  }
  // The last ones are the largest: begun first, they leave no thread without work at the end.
  TERSOR_RETURN_IF_ERROR(ParallelFor(options_.threads, kLinears, [&](int64_t task) -> absl::Status {
    const int i = kLinears - 1 - static_cast<int>(task);
    if (i == kGate && !spec_.gated) return absl::OkStatus();
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr weight, model.Find(parts_[i].layer.name + ".weight"));
    return SetWeight(parts_[i].layer.name, *weight);
  }));
  return LoadNorms(model);
}

absl::Status DecoderBlock::LoadNorms(const Model& model) {
  const AttentionSpec& a = spec_.attention;
  const std::string prefix = absl::StrCat("model.layers.", index_, ".");
  const bool sandwich = spec_.placement == NormPlacement::kSandwich;
  TERSOR_ASSIGN_OR_RETURN(input_norm_, Normalization::Load(model, prefix + "input_layernorm", width_));
  const std::string inner = sandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  TERSOR_ASSIGN_OR_RETURN(inner_norm_, Normalization::Load(model, prefix + inner, width_));
  if (sandwich) {
    TERSOR_ASSIGN_OR_RETURN(after_attention_, Normalization::Load(model, prefix + "post_attention_layernorm", width_));
    TERSOR_ASSIGN_OR_RETURN(after_mlp_, Normalization::Load(model, prefix + "post_feedforward_layernorm", width_));
  }
  if (a.qk_norm) {
    TERSOR_ASSIGN_OR_RETURN(query_norm_, Normalization::Load(model, prefix + "self_attn.q_norm", a.head_size));
    TERSOR_ASSIGN_OR_RETURN(key_norm_, Normalization::Load(model, prefix + "self_attn.k_norm", a.head_size));
  }
  if (index_ != 0 || model.spec.positions != PositionKind::kLearned) return absl::OkStatus();
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr table, model.Find(kPositionsName));
  TERSOR_RETURN_IF_ERROR(CheckShape(kPositionsName, *table, model.spec.position_rows(), width_));
  positions_.resize(static_cast<size_t>(model.spec.context_length * width_));
  table->DecodeRows(model.spec.position_offset, model.spec.context_length, positions_.data());
  return absl::OkStatus();
}

std::vector<const Linear*> DecoderBlock::linears() const {
  std::vector<const Linear*> linears;
  for (int i = 0; i < kLinears; ++i) {
    if (i != kGate || spec_.gated) linears.push_back(&parts_[i].linear);
  }
  return linears;
}

absl::Status DecoderBlock::SetWeight(const std::string& linear_name, const EncodedTensor& weight) {
  for (Part& part : parts_) {
    if (part.layer.name != linear_name) continue;
    TERSOR_RETURN_IF_ERROR(CheckShape(linear_name + ".weight", weight, part.layer.outputs, part.layer.inputs));
    TERSOR_ASSIGN_OR_RETURN(part.linear, Linear::Create({&weight, 0, part.layer.outputs}, part.bias, options_));
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("block ", index_, " has no linear layer ", linear_name));
}

}  // namespace tersor
