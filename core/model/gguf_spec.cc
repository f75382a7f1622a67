#include "core/model/gguf_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/architecture.h"
#include "core/model/gguf_token_ids.h"
#include "core/model/rope_table.h"
#include "core/model/spec_check.h"

namespace tersor {
namespace {

constexpr int64_t kMaxInt = INT32_MAX;

// GGUF keeps floats: 1e-5 comes back as 9.999999747e-6. The shortest decimal that means the same float is what was
// written, and what config.json should say again.
double ShortestDecimal(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(value)).ptr;
  double decimal = value;
  std::from_chars(text.data(), end, decimal);
  return decimal;
}

// Metadata under the architecture's prefix.
class ArchitectureKeys {
 public:
  ArchitectureKeys(const GgufMetadata& metadata, absl::string_view prefix) : metadata_(metadata), prefix_(prefix) {}

  std::string Key(absl::string_view name) const { return absl::StrCat(prefix_, ".", name); }
  bool Has(absl::string_view name) const { return metadata_.Has(Key(name)); }
  bool IsInteger(absl::string_view name) const { return metadata_.Integer(Key(name)).ok(); }

  absl::StatusOr<int64_t> Integer(absl::string_view name, int64_t high = kMaxInt) const {
    absl::StatusOr<int64_t> value = metadata_.Integer(Key(name));
    if (absl::IsNotFound(value.status())) return absl::InvalidArgumentError(value.status().message());
    if (value.ok()) TERSOR_RETURN_IF_ERROR(InRange(name, *value, high));
    return value;
  }
  absl::StatusOr<int64_t> IntegerOr(absl::string_view name, int64_t fallback) const {
    return Has(name) ? Integer(name) : fallback;
  }
  absl::StatusOr<double> FloatOr(absl::string_view name, double fallback) const {
    TERSOR_ASSIGN_OR_RETURN(const double value, metadata_.FloatOr(Key(name), fallback));
    return Has(name) ? ShortestDecimal(value) : fallback;
  }
  absl::StatusOr<std::string> StringOr(absl::string_view name, absl::string_view fallback) const {
    return metadata_.StringOr(Key(name), fallback);
  }
  // One number for all layers, or a number for each.
  absl::StatusOr<std::vector<int64_t>> PerLayer(absl::string_view name, int64_t layers) const {
    absl::StatusOr<std::vector<int64_t>> list = metadata_.Integers(Key(name));
    if (!list.ok()) {
      TERSOR_ASSIGN_OR_RETURN(const int64_t value, Integer(name));
      return std::vector<int64_t>(static_cast<size_t>(layers), value);
    }
    if (static_cast<int64_t>(list->size()) != layers) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata key ", Key(name), " has ", list->size(), " entries for ", layers, " layers"));
    }
    for (const int64_t value : *list) TERSOR_RETURN_IF_ERROR(InRange(name, value, kMaxInt));
    return list;
  }

 private:
  absl::Status InRange(absl::string_view name, int64_t value, int64_t high) const {
    if (value >= 0 && value <= high) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("metadata key ", Key(name), " is ", value, ", outside 0..", high));
  }

  const GgufMetadata& metadata_;
  absl::string_view prefix_;
};

absl::StatusOr<const Architecture*> ReadArchitecture(const GgufMetadata& metadata) {
  TERSOR_ASSIGN_OR_RETURN(const std::string name, metadata.StringOr("general.architecture", ""));
  if (name.empty()) return absl::InvalidArgumentError("metadata key general.architecture is missing");
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindGgufArchitecture(name));
  const ArchitectureKeys keys(metadata, architecture->gguf_name);
  TERSOR_ASSIGN_OR_RETURN(const int64_t experts, keys.IntegerOr("expert_count", 0));
  if (experts > 0) {
    return absl::UnimplementedError(
        absl::StrCat("the model has ", experts, " experts (", keys.Key("expert_count"), "), which is not supported"));
  }
  TERSOR_ASSIGN_OR_RETURN(const int64_t window, keys.IntegerOr("attention.sliding_window", 0));
  if (window == 0 || architecture->window != WindowRule::kNone) return architecture;
  // Llama and Mistral share a name in GGUF; the one with a window is Mistral.
  for (const Architecture& other : Architectures()) {
    if (other.gguf_name == name && other.window != WindowRule::kNone) return &other;
  }
  return absl::UnimplementedError(absl::StrCat(keys.Key("attention.sliding_window"), " is not supported"));
}

bool HasFactors(const RopeSpec& plain, const Llama3RopeScaling& scaling, const std::vector<float>& factors) {
  const int64_t head_size = static_cast<int64_t>(factors.size()) * 2;
  RopeSpec scaled = plain;
  scaled.llama3 = scaling;
  const std::vector<double> before = RopeFrequencies(plain, head_size);
  const std::vector<double> after = RopeFrequencies(scaled, head_size);
  for (size_t i = 0; i < factors.size(); ++i) {
    if (!(std::abs(before[i] / after[i] - factors[i]) <= 1e-4 * factors[i])) return false;
  }
  return true;
}

// The original contexts that `factors` may come from: the published models', what an interpolated factor tells, and
// (where none is interpolated) powers of two.
std::vector<int64_t> OriginalContexts(const RopeSpec& plain, const Llama3RopeScaling& scaling,
                                      const std::vector<float>& factors) {
  std::vector<int64_t> contexts = {scaling.original_context};
  const std::vector<double> frequencies = RopeFrequencies(plain, static_cast<int64_t>(factors.size()) * 2);
  for (size_t i = 0; i < factors.size(); ++i) {
    if (factors[i] <= 1 || factors[i] >= scaling.factor) continue;
    const double smooth = (1 / factors[i] - 1 / scaling.factor) / (1 - 1 / scaling.factor);
    const double context = (smooth * (scaling.high_freq_factor - scaling.low_freq_factor) + scaling.low_freq_factor) *
                           2 * std::numbers::pi / (frequencies[i] * plain.linear_factor);
    if (context >= 1 && context < kMaxInt) contexts.push_back(std::llround(context));
  }
  for (int64_t power = 1 << 5; power <= 1 << 20; power *= 2) contexts.push_back(power);
  return contexts;
}

// The factors of a tensor beside the parameters, one for each pair that is turned; none where there is no such tensor.
absl::StatusOr<std::vector<float>> ReadFactors(const GgufFile& file, absl::string_view name, int64_t turned) {
  const auto factors = file.tensors.find(name);
  if (factors == file.tensors.end()) return std::vector<float>();
  if (factors->second->shape() == Shape{turned / 2}) return factors->second->Decode();
  return absl::InvalidArgumentError(absl::StrCat("tensor \"", name, "\" has shape ",
                                                 ShapeString(factors->second->shape()), " where ", turned,
                                                 " elements of a head are turned"));
}

absl::Status ReadRotarySize(const ArchitectureKeys& keys, const Architecture& architecture, int64_t head_size,
                            RopeSpec& rope) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t rotated, keys.IntegerOr("rope.dimension_count", head_size));
  if (rotated == head_size) return absl::OkStatus();
  if (rotated > head_size || rotated < 2 || architecture.gguf_permuted) {
    return absl::UnimplementedError(absl::StrCat(keys.Key("rope.dimension_count"), " is ", rotated, " with heads of ",
                                                 head_size, ", which is not supported"));
  }
  rope.rotary_size = static_cast<int>(rotated);
  return absl::OkStatus();
}

// Phi-3's two lists of factors.
absl::Status ReadLongRope(const GgufFile& file, const ArchitectureKeys& keys, int64_t turned, RopeSpec& rope) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<float> shorter, ReadFactors(file, kGgufShortFactorsName, turned));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<float> longer, ReadFactors(file, kGgufLongFactorsName, turned));
  if (shorter.empty() && longer.empty()) return absl::OkStatus();
  if (shorter.empty() || longer.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("of the tensors \"", kGgufShortFactorsName, "\" and \"",
                                                   kGgufLongFactorsName, "\" the file has one only"));
  }
  LongRopeScaling scaling;
  for (const float factor : shorter) scaling.short_factors.push_back(ShortestDecimal(factor));
  for (const float factor : longer) scaling.long_factors.push_back(ShortestDecimal(factor));
  TERSOR_ASSIGN_OR_RETURN(scaling.original_context, keys.Integer("rope.scaling.original_context_length"));
  TERSOR_ASSIGN_OR_RETURN(scaling.magnitude, keys.FloatOr("rope.scaling.attn_factor", 1));
  rope.longrope = std::move(scaling);
  return absl::OkStatus();
}

// Position interpolation.
absl::Status ReadLinearFactor(const ArchitectureKeys& keys, RopeSpec& rope) {
  TERSOR_ASSIGN_OR_RETURN(const std::string type, keys.StringOr("rope.scaling.type", "none"));
  TERSOR_ASSIGN_OR_RETURN(const double old_factor, keys.FloatOr("rope.scale_linear", 1));
  TERSOR_ASSIGN_OR_RETURN(const double factor, keys.FloatOr("rope.scaling.factor", old_factor));
  if (type == "linear" || (type == "none" && !keys.Has("rope.scaling.type"))) {
    rope.linear_factor = factor;
  } else if (type != "none" && !(type == "longrope" && rope.longrope.has_value())) {
    return absl::UnimplementedError(absl::StrCat(keys.Key("rope.scaling.type"), " is \"", type,
                                                 "\"; none, linear, longrope's and Llama 3's factors are supported"));
  }
  return absl::OkStatus();
}

// Of a layer that attends to a window (`sliding`) or to all.
absl::StatusOr<RopeSpec> ReadRope(const GgufFile& file, const ArchitectureKeys& keys, const Architecture& architecture,
                                  int64_t head_size, bool sliding) {
  RopeSpec rope;
  if (architecture.positions != PositionKind::kRope) return rope;
  TERSOR_RETURN_IF_ERROR(ReadRotarySize(keys, architecture, head_size, rope));
  const int64_t turned = rope.rotary_size == 0 ? head_size : rope.rotary_size;
  if (architecture.rope_by_layer_type && sliding) {
    // Not scaled, and with a base of its own.
    TERSOR_ASSIGN_OR_RETURN(rope.theta, keys.FloatOr("rope.freq_base_swa", rope.theta));
    return rope;
  }
  TERSOR_ASSIGN_OR_RETURN(rope.theta, keys.FloatOr("rope.freq_base", rope.theta));
  TERSOR_RETURN_IF_ERROR(ReadLongRope(file, keys, turned, rope));
  TERSOR_RETURN_IF_ERROR(ReadLinearFactor(keys, rope));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<float> factors, ReadFactors(file, kGgufRopeFactorsName, turned));
  if (factors.empty()) return rope;
  TERSOR_ASSIGN_OR_RETURN(rope.llama3, RecognizeLlama3(factors, rope));
  return rope;
}

// The window of each layer; 0 is none.
absl::StatusOr<std::vector<int64_t>> ReadWindows(const ArchitectureKeys& keys, const Architecture& architecture,
                                                 int64_t layers) {
  const bool alternating = architecture.window == WindowRule::kAlternating;
  TERSOR_ASSIGN_OR_RETURN(const int64_t window, keys.IntegerOr("attention.sliding_window",
                                                               alternating ? architecture.default_window : int64_t{0}));
  if (window > 0 && architecture.window == WindowRule::kUpperLayers) {
    return absl::UnimplementedError(
        absl::StrCat(keys.Key("attention.sliding_window"), " does not say which layers it holds for: not supported"));
  }
  std::vector<int64_t> windows(static_cast<size_t>(layers), window);
  if (!alternating) return windows;
  constexpr absl::string_view kPattern = "attention.sliding_window_pattern";
  // A period, or a flag for each layer.
  if (keys.Has(kPattern) && !keys.IsInteger(kPattern)) {
    TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> slides, keys.PerLayer(kPattern, layers));
    for (int64_t i = 0; i < layers; ++i) windows[i] = slides[i] != 0 ? window : 0;
    return windows;
  }
  TERSOR_ASSIGN_OR_RETURN(const int64_t period, keys.IntegerOr(kPattern, architecture.window_period));
  for (int64_t i = 0; i < layers; ++i) {
    if (period > 0 && (i + 1) % period == 0) windows[i] = 0;
  }
  return windows;
}

bool HasTensor(const GgufFile& file, size_t layer, absl::string_view name) {
  return file.tensors.count(absl::StrCat("blk.", layer, ".", name)) > 0;
}

void ReadBiases(const GgufFile& file, const Architecture& architecture, size_t index, LayerSpec& layer) {
  const auto biased = [&](BiasRule rule, absl::string_view name) {
    return rule == BiasRule::kAlways || (rule == BiasRule::kStated && HasTensor(file, index, name));
  };
  layer.attention.qkv_bias =
      biased(architecture.qkv_bias, "attn_q.bias") || biased(architecture.qkv_bias, "attn_qkv.bias");
  layer.attention.output_bias = biased(architecture.output_bias, "attn_output.bias");
  layer.mlp_bias = biased(architecture.mlp_bias, "ffn_down.bias");
}

absl::StatusOr<int64_t> HeadSize(const ArchitectureKeys& keys, int64_t width, int64_t heads) {
  if (heads < 1) return absl::InvalidArgumentError(absl::StrCat(keys.Key("attention.head_count"), " is ", heads));
  TERSOR_ASSIGN_OR_RETURN(const int64_t head_size, keys.IntegerOr("attention.key_length", width / heads));
  TERSOR_ASSIGN_OR_RETURN(const int64_t value_size, keys.IntegerOr("attention.value_length", head_size));
  if (head_size < 2 || value_size != head_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("heads of ", head_size, " with values of ", value_size, " are not supported"));
  }
  return head_size;
}

absl::Status ReadLayers(const GgufFile& file, const Architecture& architecture, ModelSpec& spec) {
  const ArchitectureKeys keys(file.metadata, architecture.gguf_name);
  TERSOR_ASSIGN_OR_RETURN(const int64_t layers, keys.Integer("block_count", kMaxLayers));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> heads, keys.PerLayer("attention.head_count", layers));
  std::vector<int64_t> kv_heads = heads;
  if (keys.Has("attention.head_count_kv")) {
    TERSOR_ASSIGN_OR_RETURN(kv_heads, keys.PerLayer("attention.head_count_kv", layers));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> inner, keys.PerLayer("feed_forward_length", layers));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> windows, ReadWindows(keys, architecture, layers));
  bool parallel = architecture.may_be_parallel;
  if (parallel && keys.Has("use_parallel_residual")) {
    TERSOR_ASSIGN_OR_RETURN(parallel, file.metadata.Bool(keys.Key("use_parallel_residual")));
  }
  double score_cap = 0;
  if (architecture.gemma_scales && !architecture.qk_norm) {
    // Gemma 2's; llama.cpp takes the published value for files that do not say it.
    TERSOR_ASSIGN_OR_RETURN(score_cap, keys.FloatOr("attn_logit_softcapping", 50));
  }
  for (int64_t i = 0; i < layers; ++i) {
    LayerSpec layer;
    layer.attention.heads = static_cast<int>(heads[i]);
    layer.attention.kv_heads = static_cast<int>(kv_heads[i]);
    TERSOR_ASSIGN_OR_RETURN(const int64_t head_size, HeadSize(keys, spec.width, heads[i]));
    layer.attention.head_size = static_cast<int>(head_size);
    layer.attention.qk_norm = architecture.qk_norm;
    layer.attention.sliding_window = static_cast<int>(windows[i]);
    layer.attention.score_cap = score_cap;
    if (architecture.gemma_scales) {
      layer.attention.score_scale =
          GgufGemmaScoreScale(spec, layer.attention.heads, layer.attention.head_size, static_cast<size_t>(layers));
    }
    layer.inner_width = static_cast<int>(inner[i]);
    layer.gated = architecture.gated;
    layer.activation = DefaultActivation(architecture);
    layer.placement = architecture.placement;
    layer.parallel = parallel;
    TERSOR_ASSIGN_OR_RETURN(layer.rope, ReadRope(file, keys, architecture, head_size, windows[i] > 0));
    ReadBiases(file, architecture, static_cast<size_t>(i), layer);
    spec.layers.push_back(layer);
  }
  return absl::OkStatus();
}

// What is no token's id is left out here; the assets warn of it.
void ReadTokens(const GgufMetadata& metadata, ModelSpec& spec) {
  const auto id_of = [&](absl::string_view key) { return GgufTokenId(metadata, key, spec.vocabulary, nullptr); };
  spec.bos_id = id_of("tokenizer.ggml.bos_token_id");
  spec.pad_id = id_of("tokenizer.ggml.padding_token_id");
  for (const absl::string_view key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    const int64_t id = id_of(key);
    const bool known = std::find(spec.eos_ids.begin(), spec.eos_ids.end(), id) != spec.eos_ids.end();
    if (id >= 0 && !known) spec.eos_ids.push_back(id);
  }
}

}  // namespace

absl::StatusOr<Llama3RopeScaling> RecognizeLlama3(const std::vector<float>& factors, const RopeSpec& plain) {
  Llama3RopeScaling scaling;
  scaling.factor = *std::max_element(factors.begin(), factors.end());
  if (std::isfinite(scaling.factor) && scaling.factor >= 1) {
    for (const int64_t context : OriginalContexts(plain, scaling, factors)) {
      scaling.original_context = context;
      if (HasFactors(plain, scaling, factors)) return scaling;
    }
  }
  return absl::UnimplementedError(
      absl::StrCat("tensor \"", kGgufRopeFactorsName, "\" holds frequency factors that are not Llama 3's"));
}

absl::string_view GgufEpsilonKey(NormKind norm) {
  return norm == NormKind::kLayer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon";
}

double GgufGemmaScoreScale(const ModelSpec& spec, int heads, int head_size, size_t layers) {
  const bool gemma2 = spec.architecture == "gemma2";
  const bool largest = layers == (gemma2 ? 46 : 62);
  return 1 / std::sqrt(static_cast<double>(largest ? spec.width / heads : head_size));
}

absl::StatusOr<ModelSpec> SpecFromGguf(const GgufFile& file) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, ReadArchitecture(file.metadata));
  const ArchitectureKeys keys(file.metadata, architecture->gguf_name);
  ModelSpec spec;
  spec.architecture = std::string(architecture->name);
  TERSOR_ASSIGN_OR_RETURN(spec.name, file.metadata.StringOr("general.name", ""));
  TERSOR_ASSIGN_OR_RETURN(spec.width, keys.Integer("embedding_length"));
  TERSOR_ASSIGN_OR_RETURN(spec.context_length, keys.Integer("context_length"));
  spec.norm = architecture->norm;
  TERSOR_ASSIGN_OR_RETURN(spec.norm_epsilon, keys.FloatOr(GgufEpsilonKey(spec.norm), 1e-5));
  spec.positions = architecture->positions;
  spec.position_offset = architecture->position_offset;
  if (architecture->gemma_scales) {
    spec.embedding_scale = std::sqrt(static_cast<double>(spec.width));
    TERSOR_ASSIGN_OR_RETURN(spec.logit_cap, keys.FloatOr("final_logit_softcapping", architecture->qk_norm ? 0 : 30));
  }
  const auto embedding = file.tensors.find("token_embd.weight");
  if (embedding == file.tensors.end()) return absl::InvalidArgumentError("tensor \"token_embd.weight\" is missing");
  spec.vocabulary = embedding->second->rows();
  spec.tied = file.tensors.count("output.weight") == 0;
  ReadTokens(file.metadata, spec);
  TERSOR_RETURN_IF_ERROR(ReadLayers(file, *architecture, spec));
  TERSOR_RETURN_IF_ERROR(CheckSpec(spec));
  return spec;
}

}  // namespace tersor
