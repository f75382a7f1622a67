#include "tests/core/model/architecture_models.h"

#include <cmath>
#include <random>

#include "absl/strings/match.h"
#include "core/base/atomic_file.h"
#include "core/encoding/dense_tensor.h"
#include "core/model/architecture.h"
#include "core/model/config_json.h"
#include "core/tokenizer/gguf_tokenizer.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor {
namespace {

using Json = nlohmann::json;

// What most of them have.
Json Llama(const char* type, const char* name) {
  return {{"model_type", type},
          {"architectures", {name}},
          {"hidden_size", 64},
          {"intermediate_size", 96},
          {"num_hidden_layers", 3},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"max_position_embeddings", 256},
          {"rms_norm_eps", 1e-6},
          {"rope_theta", 10000.0},
          {"tie_word_embeddings", false},
          {"bos_token_id", 1},
          {"eos_token_id", 2},
          {"vocab_size", 704}};
}

Json With(Json config, const Json& more) {
  config.update(more);
  return config;
}

Json ConfigOf(absl::string_view name) {
  const Json neox = With(Llama("gpt_neox", "GPTNeoXForCausalLM"), {{"hidden_act", "gelu"},
                                                                   {"layer_norm_eps", 1e-5},
                                                                   {"rotary_pct", 0.25},
                                                                   {"use_parallel_residual", true},
                                                                   {"vocab_size", 272},
                                                                   {"num_key_value_heads", 4}});
  const Json gemma = {{"head_dim", 32},
                      {"query_pre_attn_scalar", 32},
                      {"hidden_activation", "gelu_pytorch_tanh"},
                      {"tie_word_embeddings", true},
                      {"sliding_window", 8}};
  const Json phi3 = With(Llama("phi3", "Phi3ForCausalLM"), {{"sliding_window", nullptr}});
  const Json gemma3 = With(With(Llama("gemma3_text", "Gemma3ForCausalLM"), gemma),
                           {{"rope_theta", 1000000.0}, {"rope_local_base_freq", 10000.0}, {"num_hidden_layers", 7}});
  if (name == "gpt2") {
    return {{"model_type", "gpt2"}, {"architectures", {"GPT2LMHeadModel"}},
            {"n_embd", 64},         {"n_layer", 3},
            {"n_head", 4},          {"n_positions", 256},
            {"vocab_size", 272},    {"layer_norm_epsilon", 1e-5},
            {"bos_token_id", 0},    {"eos_token_id", 2}};
  }
  if (name == "gpt_neox") return neox;
  if (name == "gpt_neox_serial") return With(neox, {{"use_parallel_residual", false}, {"rotary_pct", 1.0}});
  if (name == "phi3") return phi3;
  if (name == "phi3_longrope") {
    const std::vector<double> shorter = {1, 1.0625, 1.125, 1.25, 1.5, 2, 2.5, 3};
    const std::vector<double> longer = {1, 1.5, 2, 4, 8, 16, 24, 32};
    return With(
        phi3,
        {{"max_position_embeddings", 512},
         {"original_max_position_embeddings", 256},
         {"rope_scaling",
          {{"type", "longrope"}, {"attention_factor", 1.125}, {"short_factor", shorter}, {"long_factor", longer}}}});
  }
  if (name == "gemma2") {
    return With(With(Llama("gemma2", "Gemma2ForCausalLM"), gemma),
                {{"attn_logit_softcapping", 50.0}, {"final_logit_softcapping", 30.0}});
  }
  if (name == "gemma3") return gemma3;
  // Every third layer sees all, and positions of those are interpolated.
  return With(gemma3, {{"sliding_window_pattern", 3}, {"rope_scaling", {{"rope_type", "linear"}, {"factor", 2.0}}}});
}

// As tests/tools/record_sentencepiece.py trained it. Phi-3's puts a space before a text and has one more special token,
// which llama.cpp looks for in every model with "phi3" in its name.
std::string SentencePieceJson(bool phi3) {
  const Json fixture = Json::parse(*ReadFile(testing::FixturesPath() / "sentencepiece.json"));
  GgufTokenizerMetadata metadata;
  metadata.model = "llama";
  metadata.tokens = fixture["tokens"].get<std::vector<std::string>>();
  metadata.scores = fixture["scores"].get<std::vector<float>>();
  metadata.token_types = fixture["token_types"].get<std::vector<int32_t>>();
  metadata.bos_id = 1;
  metadata.eos_id = 2;
  metadata.unknown_id = 0;
  metadata.add_bos = true;
  metadata.add_space_prefix = phi3;
  metadata.is_phi3 = phi3;
  if (phi3) {
    metadata.tokens.emplace_back("<|endoftext|>");
    metadata.scores.push_back(0);
    metadata.token_types.push_back(kGgufTokenControl);
  }
  return *TokenizerJsonFromGguf(metadata);
}

class Weights {
 public:
  explicit Weights(uint64_t seed) : generator_(seed) {}

  EncodedTensorPtr Of(const ParameterSpec& parameter) {
    if (absl::EndsWith(parameter.name, ".bias")) return Make(parameter.shape, 0, 0.1f);
    if (parameter.shape.size() == 1) return Make(parameter.shape, 1 - parameter.gguf_added, 0.2f);
    if (parameter.name == kEmbeddingName || parameter.name == kPositionsName) return Make(parameter.shape, 0, 0.5f);
    return Make(parameter.shape, 0, 1.2f / std::sqrt(static_cast<float>(parameter.shape[1])));
  }

 private:
  EncodedTensorPtr Make(const Shape& shape, float mean, float deviation) {
    std::vector<float> values(ElementCount(shape));
    // Not std::normal_distribution, which differs between standard libraries.
    for (float& value : values) {
      float sum = 0;
      for (int i = 0; i < 4; ++i) sum += static_cast<float>(generator_() >> 40) * 0x1p-24f - 0.5f;
      value = mean + deviation * 1.73f * sum;
    }
    return *DenseTensor::FromFloats(shape, std::move(values));
  }

  std::mt19937_64 generator_;
};

}  // namespace

std::vector<std::string> ArchitectureModelNames() {
  return {"gpt2", "gpt_neox", "gpt_neox_serial", "phi3", "phi3_longrope", "gemma2", "gemma3", "gemma3_period"};
}

Model ArchitectureModel(absl::string_view name, uint64_t seed) {
  Model model;
  model.spec = *SpecFromConfigJson(ConfigOf(name).dump(), name);
  model.spec.name = std::string(name);
  Weights weights(seed);
  const std::vector<ParameterSpec> parameters = *ModelParameters(model.spec);
  for (const ParameterSpec& parameter : parameters) {
    model.parameters[parameter.name] = weights.Of(parameter);
  }
  const bool pieces = absl::StartsWith(name, "phi3") || absl::StartsWith(name, "gemma");
  model.assets.tokenizer_json =
      pieces ? SentencePieceJson(absl::StartsWith(name, "phi3")) : testing::TinyTokenizerJson();
  model.assets.add_bos = pieces;
  return model;
}

}  // namespace tersor
