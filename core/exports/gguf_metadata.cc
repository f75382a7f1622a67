#include "core/exports/gguf_metadata.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/model/architecture.h"
#include "core/model/gguf_spec.h"
#include "core/model/rope_table.h"
#include "core/model/special_tokens.h"
#include "core/tokenizer/gguf_tokenizer.h"
#include "core/tokenizer/gguf_tokenizer_writer.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor {
namespace {

constexpr uint32_t kQuantizationVersion = 2;
constexpr uint32_t kAlignment = 32;

// llama.cpp's enum llama_ftype.
uint32_t FileType(GgufChoice choice) {
  switch (choice) {
    case GgufChoice::kF16:
      return 1;
    case GgufChoice::kQ4_0:
      return 2;
    case GgufChoice::kQ4_1:
      return 3;
    case GgufChoice::kQ8_0:
      return 7;
    // "Mostly Q4_K, small": no layer has another type by choice.
    case GgufChoice::kQ4_K:
      return 14;
    case GgufChoice::kQ6_K:
      return 18;
    case GgufChoice::kMxfp4:
      return 38;
  }
  return 0;
}

// The first layer that attends to a window, or the first one that does not; any where there is none.
const LayerSpec* LayerOfKind(const ModelSpec& spec, bool sliding) {
  for (const LayerSpec& layer : spec.layers) {
    if ((layer.attention.sliding_window > 0) == sliding) return &layer;
  }
  return &spec.layers.front();
}

// How many layers there are from one that attends to all to the next; 0 where there is no such rhythm.
int64_t WindowPeriod(const ModelSpec& spec) {
  const auto slides = [&](size_t layer) { return spec.layers[layer].attention.sliding_window > 0; };
  size_t period = 0;
  while (period < spec.layers.size() && slides(period)) ++period;
  ++period;
  for (size_t layer = 0; layer < spec.layers.size(); ++layer) {
    if (slides(layer) == ((layer + 1) % period == 0)) return 0;
  }
  return static_cast<int64_t>(period);
}

bool SameLongRope(const std::optional<LongRopeScaling>& a, const std::optional<LongRopeScaling>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->short_factors == b->short_factors && a->long_factors == b->long_factors &&
         a->original_context == b->original_context && a->magnitude == b->magnitude;
}

bool SameRope(const RopeSpec& a, const RopeSpec& b) {
  return a.theta == b.theta && a.linear_factor == b.linear_factor && a.rotary_size == b.rotary_size &&
         SameLongRope(a.longrope, b.longrope) && a.llama3.has_value() == b.llama3.has_value() &&
         (!a.llama3.has_value() ||
          (a.llama3->factor == b.llama3->factor && a.llama3->low_freq_factor == b.llama3->low_freq_factor &&
           a.llama3->high_freq_factor == b.llama3->high_freq_factor &&
           a.llama3->original_context == b.llama3->original_context));
}

// What one value per file must say for all layers.
absl::Status CheckUniform(const Architecture& architecture, const ModelSpec& spec) {
  if (spec.layers.empty()) return absl::InvalidArgumentError("GGUF: a model without layers");
  const LayerSpec& first = spec.layers.front();
  const bool alternates = architecture.window == WindowRule::kAlternating;
  for (const LayerSpec& layer : spec.layers) {
    if (layer.attention.head_size != first.attention.head_size) {
      return absl::UnimplementedError("GGUF cannot say that layers differ in the size of their heads");
    }
    const bool sliding = layer.attention.sliding_window > 0;
    const LayerSpec* like = &first;
    if (architecture.rope_by_layer_type) like = LayerOfKind(spec, sliding);
    if (!SameRope(layer.rope, like->rope)) {
      return absl::UnimplementedError("GGUF cannot say that layers differ in their rotary embedding");
    }
    if (layer.attention.sliding_window !=
        (alternates ? LayerOfKind(spec, sliding) : &first)->attention.sliding_window) {
      return absl::UnimplementedError("GGUF cannot say which layers attend to a window only");
    }
    if (alternates && WindowPeriod(spec) == 0) {
      return absl::UnimplementedError("GGUF cannot say which layers attend to a window only");
    }
    if (layer.parallel != first.parallel) {
      return absl::UnimplementedError("GGUF cannot say that some layers compute attention and MLP side by side");
    }
  }
  return absl::OkStatus();
}

// What llama.cpp computes for every model of the architecture.
absl::Status CheckArchitecture(const Architecture& architecture, const ModelSpec& spec) {
  const auto refuse = [&](absl::string_view what) {
    return absl::UnimplementedError(absl::StrCat("GGUF: ", architecture.name, " ", what));
  };
  if (architecture.gguf_head == GgufHead::kRequired && spec.tied) return refuse("with a tied head is not llama.cpp's");
  if (architecture.gguf_head == GgufHead::kNone && !spec.tied) {
    return refuse("has no head of its own in llama.cpp: leave the head as the embedding is");
  }
  if (architecture.window == WindowRule::kAlternating && LayerOfKind(spec, true)->attention.sliding_window == 0) {
    return refuse("without a sliding window is not llama.cpp's");
  }
  for (const LayerSpec& layer : spec.layers) {
    const AttentionSpec& attention = layer.attention;
    const bool gelu = architecture.name == "gpt_neox" && layer.activation == Activation::kGeluTanh;
    if (layer.activation != DefaultActivation(architecture) && !gelu) {
      return refuse(
          absl::StrCat("has the activation ", architecture.default_activation, " in llama.cpp, and no other"));
    }
    if (architecture.qkv_bias != BiasRule::kNever && architecture.norm == NormKind::kLayer && !attention.qkv_bias) {
      return refuse("has biases of q, k and v in llama.cpp, this model lacks them");
    }
    if (!architecture.gemma_scales) continue;
    const double usual = GgufGemmaScoreScale(spec, attention.heads, attention.head_size, spec.layers.size());
    if (std::abs(attention.score_scale - usual) > 1e-6 * usual) {
      return refuse("with this query_pre_attn_scalar is not llama.cpp's, which goes by the size of a head");
    }
    if (architecture.qk_norm && attention.score_cap != 0) return refuse("has no cap of attention scores in llama.cpp");
    if (!architecture.qk_norm && (attention.score_cap == 0 || spec.logit_cap == 0)) {
      return refuse("without its soft caps is not llama.cpp's");
    }
  }
  return absl::OkStatus();
}

// The keys under the architecture's prefix.
class ArchitectureKeys {
 public:
  ArchitectureKeys(absl::string_view prefix, GgufMetadataBuilder& metadata) : prefix_(prefix), metadata_(metadata) {}

  void Uint32(absl::string_view key, int64_t value) { metadata_.Uint32(Key(key), static_cast<uint32_t>(value)); }
  void Float32(absl::string_view key, double value) { metadata_.Float32(Key(key), static_cast<float>(value)); }
  void String(absl::string_view key, absl::string_view value) { metadata_.String(Key(key), value); }
  // One value where all layers have the same, else a list.
  template <typename Get>
  void PerLayer(absl::string_view key, const std::vector<LayerSpec>& layers, Get get) {
    std::vector<int32_t> values;
    for (const LayerSpec& layer : layers) values.push_back(get(layer));
    const bool same = std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
    same ? Uint32(key, values.front()) : metadata_.Int32s(Key(key), values);
  }

 private:
  std::string Key(absl::string_view key) const { return absl::StrCat(prefix_, ".", key); }

  absl::string_view prefix_;
  GgufMetadataBuilder& metadata_;
};

void PutWindow(const Architecture& architecture, const ModelSpec& spec, ArchitectureKeys& keys) {
  const int window = LayerOfKind(spec, true)->attention.sliding_window;
  if (window == 0) return;
  keys.Uint32("attention.sliding_window", window);
  // Older llama.cpp knows the architecture's own rhythm only, which needs no key.
  const int64_t period = WindowPeriod(spec);
  if (architecture.window == WindowRule::kAlternating && period != architecture.window_period) {
    keys.Uint32("attention.sliding_window_pattern", period);
  }
}

void PutRope(const Architecture& architecture, const ModelSpec& spec, ArchitectureKeys& keys) {
  const RopeSpec& rope = LayerOfKind(spec, false)->rope;
  keys.Uint32("rope.dimension_count",
              rope.rotary_size == 0 ? spec.layers.front().attention.head_size : rope.rotary_size);
  keys.Float32("rope.freq_base", rope.theta);
  if (architecture.rope_by_layer_type) keys.Float32("rope.freq_base_swa", LayerOfKind(spec, true)->rope.theta);
  if (rope.linear_factor != 1) {
    keys.String("rope.scaling.type", "linear");
    keys.Float32("rope.scaling.factor", rope.linear_factor);
  }
  if (rope.longrope.has_value()) {
    keys.Uint32("rope.scaling.original_context_length", rope.longrope->original_context);
    keys.Float32("rope.scaling.attn_factor", rope.longrope->magnitude);
  }
}

void PutSpec(const Architecture& architecture, const ModelSpec& spec, GgufMetadataBuilder& metadata) {
  ArchitectureKeys keys(architecture.gguf_name, metadata);
  const LayerSpec& first = spec.layers.front();
  keys.Uint32("block_count", static_cast<int64_t>(spec.layers.size()));
  keys.Uint32("context_length", GgufContextLength(spec));
  keys.Uint32("embedding_length", spec.width);
  keys.Uint32("vocab_size", spec.vocabulary);
  keys.PerLayer("feed_forward_length", spec.layers, [](const LayerSpec& layer) { return layer.inner_width; });
  keys.PerLayer("attention.head_count", spec.layers, [](const LayerSpec& layer) { return layer.attention.heads; });
  keys.PerLayer("attention.head_count_kv", spec.layers,
                [](const LayerSpec& layer) { return layer.attention.kv_heads; });
  keys.Uint32("attention.key_length", first.attention.head_size);
  keys.Uint32("attention.value_length", first.attention.head_size);
  keys.Float32(GgufEpsilonKey(spec.norm), spec.norm_epsilon);
  if (architecture.may_be_parallel)
    metadata.Bool(absl::StrCat(architecture.gguf_name, ".use_parallel_residual"), first.parallel);
  if (first.attention.score_cap > 0) keys.Float32("attn_logit_softcapping", first.attention.score_cap);
  if (spec.logit_cap > 0) keys.Float32("final_logit_softcapping", spec.logit_cap);
  PutWindow(architecture, spec, keys);
  if (spec.positions == PositionKind::kRope) PutRope(architecture, spec, keys);
}

void PutSpecialTokens(const ModelSpec& spec, const SpecialTokens& special, int64_t unknown_id,
                      GgufMetadataBuilder& metadata) {
  const auto put = [&](absl::string_view key, int64_t id) {
    if (id < 0 || id >= spec.vocabulary) return;
    metadata.Uint32(absl::StrCat("tokenizer.ggml.", key), static_cast<uint32_t>(id));
  };
  put("bos_token_id", special.bos.id);
  put("padding_token_id", special.pad.id);
  put("unknown_token_id", unknown_id >= 0 ? unknown_id : special.unk.id);
  // Of several ends the tokenizer's own comes first; the next one is the end of a turn.
  if (!special.ends.empty()) put("eos_token_id", special.ends[0]);
  if (special.ends.size() > 1) put("eot_token_id", special.ends[1]);
  metadata.Bool("tokenizer.ggml.add_bos_token", special.adds_bos());
  if (!special.frame.after.empty()) metadata.Bool("tokenizer.ggml.add_eos_token", true);
}

absl::Status CheckPhi3Tokens(absl::string_view name, const std::vector<std::string>& tokens) {
  if (!IsGgufPhi3Name(name)) return absl::OkStatus();
  for (const absl::string_view token : kGgufPhi3Tokens) {
    if (std::find(tokens.begin(), tokens.end(), token) != tokens.end()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("GGUF: the tokenizer has no token ", token, ", without which llama.cpp loads no model called \"",
                     name, "\": rename the folder or file so that its name has neither phi3 nor phi-3"));
  }
  return absl::OkStatus();
}

absl::Status PutTokenizer(const ModelSpec& spec, const ModelAssets& assets, GgufMetadataBuilder& metadata) {
  if (assets.tokenizer_json.empty()) {
    return absl::InvalidArgumentError("GGUF: the model has no tokenizer.json, and llama.cpp needs its tokens");
  }
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const SpecialTokens special, SpecialTokensOf(spec, assets, tokenizer.get()));
  TERSOR_ASSIGN_OR_RETURN(const GgufTokenizerMetadata tokens,
                          GgufTokenizerFromJson(assets.tokenizer_json, spec.vocabulary, assets.gguf_pre_tokenizer));
  TERSOR_RETURN_IF_ERROR(CheckPhi3Tokens(spec.name, tokens.tokens));
  metadata.String("tokenizer.ggml.model", tokens.model);
  metadata.String("tokenizer.ggml.pre", tokens.pre);
  metadata.Strings("tokenizer.ggml.tokens", tokens.tokens);
  metadata.Int32s("tokenizer.ggml.token_type", tokens.token_types);
  if (!tokens.scores.empty()) metadata.Float32s("tokenizer.ggml.scores", tokens.scores);
  if (!tokens.merges.empty()) metadata.Strings("tokenizer.ggml.merges", tokens.merges);
  metadata.Bool("tokenizer.ggml.add_space_prefix", tokens.add_space_prefix.value_or(false));
  PutSpecialTokens(spec, special, tokens.unknown_id, metadata);
  if (!assets.chat_template.empty()) metadata.String("tokenizer.chat_template", assets.chat_template);
  return absl::OkStatus();
}

// Frequency factors of Llama 3's rope scaling; empty where there is no such scaling.
std::vector<float> GgufRopeFactors(const ModelSpec& spec) {
  const LayerSpec& first = spec.layers.front();
  if (!first.rope.llama3.has_value()) return {};
  RopeSpec plain = first.rope;
  plain.llama3.reset();
  const std::vector<double> before = RopeFrequencies(plain, first.attention.head_size);
  const std::vector<double> after = RopeFrequencies(first.rope, first.attention.head_size);
  std::vector<float> factors;
  for (size_t i = 0; i < before.size(); ++i) factors.push_back(static_cast<float>(before[i] / after[i]));
  return factors;
}

// Rather before any work than when the written file is read again.
absl::Status CheckRopeFactors(const ModelSpec& spec) {
  const std::vector<float> factors = GgufRopeFactors(spec);
  if (factors.empty()) return absl::OkStatus();
  RopeSpec plain = spec.layers.front().rope;
  plain.llama3.reset();
  if (RecognizeLlama3(factors, plain).ok()) return absl::OkStatus();
  return absl::UnimplementedError(
      "GGUF keeps Llama 3's rope scaling as factors only, which are read again for low_freq_factor 1 and "
      "high_freq_factor 4");
}

}  // namespace

int64_t GgufContextLength(const ModelSpec& spec) {
  const absl::StatusOr<const Architecture*> architecture = FindArchitecture(spec.architecture);
  const bool knows_windows = architecture.ok() && (*architecture)->window == WindowRule::kAlternating;
  const int64_t window = spec.layers.empty() || knows_windows ? 0 : spec.layers.front().attention.sliding_window;
  return window > 0 ? std::min(window, spec.context_length) : spec.context_length;
}

std::vector<GgufFactors> GgufFactorTensors(const ModelSpec& spec) {
  std::vector<GgufFactors> tensors;
  if (spec.positions != PositionKind::kRope) return tensors;
  std::vector<float> llama3 = GgufRopeFactors(spec);
  if (!llama3.empty()) tensors.push_back({kGgufRopeFactorsName, std::move(llama3)});
  const std::optional<LongRopeScaling>& longrope = spec.layers.front().rope.longrope;
  if (longrope.has_value()) {
    const auto floats = [](const std::vector<double>& factors) {
      return std::vector<float>(factors.begin(), factors.end());
    };
    tensors.push_back({kGgufLongFactorsName, floats(longrope->long_factors)});
    tensors.push_back({kGgufShortFactorsName, floats(longrope->short_factors)});
  }
  return tensors;
}

absl::StatusOr<GgufMetadataBuilder> BuildGgufMetadata(GgufChoice choice, const ModelSpec& spec,
                                                      const ModelAssets& assets) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
  TERSOR_RETURN_IF_ERROR(CheckUniform(*architecture, spec));
  TERSOR_RETURN_IF_ERROR(CheckArchitecture(*architecture, spec));
  TERSOR_RETURN_IF_ERROR(CheckRopeFactors(spec));
  if (architecture->window == WindowRule::kUpperLayers && spec.layers.front().attention.sliding_window > 0) {
    return absl::UnimplementedError(absl::StrCat("GGUF: llama.cpp has no sliding window for ", architecture->name));
  }
  GgufMetadataBuilder metadata;
  metadata.String("general.architecture", architecture->gguf_name);
  metadata.String("general.type", "model");
  if (!spec.name.empty()) metadata.String("general.name", spec.name);
  if (!assets.licence_id.empty()) metadata.String("general.license", assets.licence_id);
  metadata.Uint32("general.quantization_version", kQuantizationVersion);
  metadata.Uint32("general.file_type", FileType(choice));
  metadata.Uint32("general.alignment", kAlignment);
  PutSpec(*architecture, spec, metadata);
  TERSOR_RETURN_IF_ERROR(PutTokenizer(spec, assets, metadata));
  return metadata;
}

}  // namespace tersor
