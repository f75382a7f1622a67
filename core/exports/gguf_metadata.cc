#include "core/exports/gguf_metadata.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/model/architecture.h"
#include "core/model/gguf_spec.h"
#include "core/model/rope_table.h"
#include "core/model/special_tokens.h"
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

bool SameRope(const RopeSpec& a, const RopeSpec& b) {
  return a.theta == b.theta && a.linear_factor == b.linear_factor && a.llama3.has_value() == b.llama3.has_value() &&
         (!a.llama3.has_value() ||
          (a.llama3->factor == b.llama3->factor && a.llama3->low_freq_factor == b.llama3->low_freq_factor &&
           a.llama3->high_freq_factor == b.llama3->high_freq_factor &&
           a.llama3->original_context == b.llama3->original_context));
}

// What one value per file must say for all layers.
absl::Status CheckUniform(const ModelSpec& spec) {
  if (spec.layers.empty()) return absl::InvalidArgumentError("GGUF: a model without layers");
  const LayerSpec& first = spec.layers.front();
  for (const LayerSpec& layer : spec.layers) {
    if (layer.attention.head_size != first.attention.head_size) {
      return absl::UnimplementedError("GGUF cannot say that layers differ in the size of their heads");
    }
    if (!SameRope(layer.rope, first.rope)) {
      return absl::UnimplementedError("GGUF cannot say that layers differ in their rotary embedding");
    }
    if (layer.attention.sliding_window != first.attention.sliding_window) {
      return absl::UnimplementedError("GGUF cannot say which layers attend to a window only");
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

void PutSpec(const ModelSpec& spec, absl::string_view prefix, GgufMetadataBuilder& metadata) {
  ArchitectureKeys keys(prefix, metadata);
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
  keys.Uint32("rope.dimension_count", first.attention.head_size);
  keys.Float32("rope.freq_base", first.rope.theta);
  keys.Float32("attention.layer_norm_rms_epsilon", spec.norm_epsilon);
  if (first.attention.sliding_window > 0) keys.Uint32("attention.sliding_window", first.attention.sliding_window);
  if (first.rope.linear_factor != 1) {
    keys.String("rope.scaling.type", "linear");
    keys.Float32("rope.scaling.factor", first.rope.linear_factor);
  }
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

absl::Status PutTokenizer(const ModelSpec& spec, const ModelAssets& assets, GgufMetadataBuilder& metadata) {
  if (assets.tokenizer_json.empty()) {
    return absl::InvalidArgumentError("GGUF: the model has no tokenizer.json, and llama.cpp needs its tokens");
  }
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const SpecialTokens special, SpecialTokensOf(spec, assets, tokenizer.get()));
  TERSOR_ASSIGN_OR_RETURN(const GgufTokenizerMetadata tokens,
                          GgufTokenizerFromJson(assets.tokenizer_json, spec.vocabulary, assets.gguf_pre_tokenizer));
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
  const int64_t window = spec.layers.empty() ? 0 : spec.layers.front().attention.sliding_window;
  return window > 0 ? std::min(window, spec.context_length) : spec.context_length;
}

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

absl::StatusOr<GgufMetadataBuilder> BuildGgufMetadata(GgufChoice choice, const ModelSpec& spec,
                                                      const ModelAssets& assets) {
  TERSOR_RETURN_IF_ERROR(CheckUniform(spec));
  TERSOR_RETURN_IF_ERROR(CheckRopeFactors(spec));
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
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
  PutSpec(spec, architecture->gguf_name, metadata);
  TERSOR_RETURN_IF_ERROR(PutTokenizer(spec, assets, metadata));
  return metadata;
}

}  // namespace tersor
