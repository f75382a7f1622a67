// Tensor names and switches of the architectures that are not arranged like Llama. Private to core/model.
#ifndef TERSOR_CORE_MODEL_ARCHITECTURE_RULES_H_
#define TERSOR_CORE_MODEL_ARCHITECTURE_RULES_H_

#include <array>

#include "core/model/architecture.h"

namespace tersor {

inline constexpr std::array kGpt2Rules = {
    TensorRule{"transformer.wte.weight", {"model.embed_tokens.weight"}},
    TensorRule{"transformer.wpe.weight", {"model.embed_positions.weight"}},
    TensorRule{"transformer.ln_f.weight", {"model.norm.weight"}},
    TensorRule{"transformer.ln_f.bias", {"model.norm.bias"}},
    TensorRule{"lm_head.weight", {"lm_head.weight"}},
    TensorRule{"transformer.h.*.ln_1.weight", {"model.layers.*.input_layernorm.weight"}},
    TensorRule{"transformer.h.*.ln_1.bias", {"model.layers.*.input_layernorm.bias"}},
    TensorRule{"transformer.h.*.ln_2.weight", {"model.layers.*.post_attention_layernorm.weight"}},
    TensorRule{"transformer.h.*.ln_2.bias", {"model.layers.*.post_attention_layernorm.bias"}},
    TensorRule{"transformer.h.*.attn.c_attn.weight",
               {"model.layers.*.self_attn.q_proj.weight", "model.layers.*.self_attn.k_proj.weight",
                "model.layers.*.self_attn.v_proj.weight"},
               Fusion::kStacked,
               true},
    TensorRule{"transformer.h.*.attn.c_attn.bias",
               {"model.layers.*.self_attn.q_proj.bias", "model.layers.*.self_attn.k_proj.bias",
                "model.layers.*.self_attn.v_proj.bias"}},
    TensorRule{
        "transformer.h.*.attn.c_proj.weight", {"model.layers.*.self_attn.o_proj.weight"}, Fusion::kStacked, true},
    TensorRule{"transformer.h.*.attn.c_proj.bias", {"model.layers.*.self_attn.o_proj.bias"}},
    TensorRule{"transformer.h.*.mlp.c_fc.weight", {"model.layers.*.mlp.up_proj.weight"}, Fusion::kStacked, true},
    TensorRule{"transformer.h.*.mlp.c_fc.bias", {"model.layers.*.mlp.up_proj.bias"}},
    TensorRule{"transformer.h.*.mlp.c_proj.weight", {"model.layers.*.mlp.down_proj.weight"}, Fusion::kStacked, true},
    TensorRule{"transformer.h.*.mlp.c_proj.bias", {"model.layers.*.mlp.down_proj.bias"}},
};

inline constexpr std::array kOptRules = {
    TensorRule{"model.decoder.embed_tokens.weight", {"model.embed_tokens.weight"}},
    TensorRule{"model.decoder.embed_positions.weight", {"model.embed_positions.weight"}},
    TensorRule{"model.decoder.final_layer_norm.weight", {"model.norm.weight"}},
    TensorRule{"model.decoder.final_layer_norm.bias", {"model.norm.bias"}},
    TensorRule{"lm_head.weight", {"lm_head.weight"}},
    TensorRule{"model.decoder.layers.*.self_attn_layer_norm.weight", {"model.layers.*.input_layernorm.weight"}},
    TensorRule{"model.decoder.layers.*.self_attn_layer_norm.bias", {"model.layers.*.input_layernorm.bias"}},
    TensorRule{"model.decoder.layers.*.final_layer_norm.weight", {"model.layers.*.post_attention_layernorm.weight"}},
    TensorRule{"model.decoder.layers.*.final_layer_norm.bias", {"model.layers.*.post_attention_layernorm.bias"}},
    TensorRule{"model.decoder.layers.*.self_attn.q_proj.weight", {"model.layers.*.self_attn.q_proj.weight"}},
    TensorRule{"model.decoder.layers.*.self_attn.q_proj.bias", {"model.layers.*.self_attn.q_proj.bias"}},
    TensorRule{"model.decoder.layers.*.self_attn.k_proj.weight", {"model.layers.*.self_attn.k_proj.weight"}},
    TensorRule{"model.decoder.layers.*.self_attn.k_proj.bias", {"model.layers.*.self_attn.k_proj.bias"}},
    TensorRule{"model.decoder.layers.*.self_attn.v_proj.weight", {"model.layers.*.self_attn.v_proj.weight"}},
    TensorRule{"model.decoder.layers.*.self_attn.v_proj.bias", {"model.layers.*.self_attn.v_proj.bias"}},
    TensorRule{"model.decoder.layers.*.self_attn.out_proj.weight", {"model.layers.*.self_attn.o_proj.weight"}},
    TensorRule{"model.decoder.layers.*.self_attn.out_proj.bias", {"model.layers.*.self_attn.o_proj.bias"}},
    TensorRule{"model.decoder.layers.*.fc1.weight", {"model.layers.*.mlp.up_proj.weight"}},
    TensorRule{"model.decoder.layers.*.fc1.bias", {"model.layers.*.mlp.up_proj.bias"}},
    TensorRule{"model.decoder.layers.*.fc2.weight", {"model.layers.*.mlp.down_proj.weight"}},
    TensorRule{"model.decoder.layers.*.fc2.bias", {"model.layers.*.mlp.down_proj.bias"}},
};

inline constexpr std::array kGptNeoxRules = {
    TensorRule{"gpt_neox.embed_in.weight", {"model.embed_tokens.weight"}},
    TensorRule{"gpt_neox.final_layer_norm.weight", {"model.norm.weight"}},
    TensorRule{"gpt_neox.final_layer_norm.bias", {"model.norm.bias"}},
    TensorRule{"embed_out.weight", {"lm_head.weight"}},
    TensorRule{"gpt_neox.layers.*.input_layernorm.weight", {"model.layers.*.input_layernorm.weight"}},
    TensorRule{"gpt_neox.layers.*.input_layernorm.bias", {"model.layers.*.input_layernorm.bias"}},
    TensorRule{"gpt_neox.layers.*.post_attention_layernorm.weight", {"model.layers.*.post_attention_layernorm.weight"}},
    TensorRule{"gpt_neox.layers.*.post_attention_layernorm.bias", {"model.layers.*.post_attention_layernorm.bias"}},
    TensorRule{"gpt_neox.layers.*.attention.query_key_value.weight",
               {"model.layers.*.self_attn.q_proj.weight", "model.layers.*.self_attn.k_proj.weight",
                "model.layers.*.self_attn.v_proj.weight"},
               Fusion::kByHead},
    TensorRule{"gpt_neox.layers.*.attention.query_key_value.bias",
               {"model.layers.*.self_attn.q_proj.bias", "model.layers.*.self_attn.k_proj.bias",
                "model.layers.*.self_attn.v_proj.bias"},
               Fusion::kByHead},
    TensorRule{"gpt_neox.layers.*.attention.dense.weight", {"model.layers.*.self_attn.o_proj.weight"}},
    TensorRule{"gpt_neox.layers.*.attention.dense.bias", {"model.layers.*.self_attn.o_proj.bias"}},
    TensorRule{"gpt_neox.layers.*.mlp.dense_h_to_4h.weight", {"model.layers.*.mlp.up_proj.weight"}},
    TensorRule{"gpt_neox.layers.*.mlp.dense_h_to_4h.bias", {"model.layers.*.mlp.up_proj.bias"}},
    TensorRule{"gpt_neox.layers.*.mlp.dense_4h_to_h.weight", {"model.layers.*.mlp.down_proj.weight"}},
    TensorRule{"gpt_neox.layers.*.mlp.dense_4h_to_h.bias", {"model.layers.*.mlp.down_proj.bias"}},
};

// What no rule names is called as it is in Llama.
inline constexpr std::array kPhi3Rules = {
    TensorRule{"model.layers.*.self_attn.qkv_proj.weight",
               {"model.layers.*.self_attn.q_proj.weight", "model.layers.*.self_attn.k_proj.weight",
                "model.layers.*.self_attn.v_proj.weight"}},
    TensorRule{"model.layers.*.mlp.gate_up_proj.weight",
               {"model.layers.*.mlp.gate_proj.weight", "model.layers.*.mlp.up_proj.weight"}},
};

// In GGUF files q, k and v of these architectures are one tensor, one after the other.
inline constexpr std::array kGgufJoinedQkvRules = {
    TensorRule{"blk.*.attn_qkv.weight",
               {"model.layers.*.self_attn.q_proj.weight", "model.layers.*.self_attn.k_proj.weight",
                "model.layers.*.self_attn.v_proj.weight"}},
    TensorRule{"blk.*.attn_qkv.bias",
               {"model.layers.*.self_attn.q_proj.bias", "model.layers.*.self_attn.k_proj.bias",
                "model.layers.*.self_attn.v_proj.bias"}},
};

inline constexpr std::array kGgufPhi3Rules = {
    TensorRule{"blk.*.attn_qkv.weight",
               {"model.layers.*.self_attn.q_proj.weight", "model.layers.*.self_attn.k_proj.weight",
                "model.layers.*.self_attn.v_proj.weight"}},
    TensorRule{"blk.*.ffn_up.weight", {"model.layers.*.mlp.gate_proj.weight", "model.layers.*.mlp.up_proj.weight"}},
};

inline constexpr std::array kGgufGemmaRules = {
    TensorRule{"blk.*.post_attention_norm.weight", {"model.layers.*.post_attention_layernorm.weight"}},
    TensorRule{"blk.*.ffn_norm.weight", {"model.layers.*.pre_feedforward_layernorm.weight"}},
    TensorRule{"blk.*.post_ffw_norm.weight", {"model.layers.*.post_feedforward_layernorm.weight"}},
};

inline constexpr std::array kGpt2Switches = {RequiredSwitch{"scale_attn_weights", true},
                                             RequiredSwitch{"scale_attn_by_inverse_layer_idx", false},
                                             RequiredSwitch{"add_cross_attention", false}};
inline constexpr std::array kOptSwitches = {
    RequiredSwitch{"do_layer_norm_before", true}, RequiredSwitch{"layer_norm_elementwise_affine", true},
    RequiredSwitch{"_remove_final_layer_norm", false}, RequiredSwitch{"enable_bias", true}};
inline constexpr std::array kGemmaSwitches = {RequiredSwitch{"use_bidirectional_attention", false}};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_ARCHITECTURE_RULES_H_
