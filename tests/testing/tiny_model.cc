#include "tests/testing/tiny_model.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/atomic_file.h"
#include "core/tensor/float16.h"
#include "nlohmann/json.hpp"
#include "tests/testing/tiny_architecture.h"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor::testing {
namespace {

constexpr char kChatTemplate[] =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

struct NamedTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// Normal deviates that are the same with every standard library.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  float Normal() {
    const double u = (static_cast<double>(engine_() >> 11) + 1) * 0x1p-53;
    const double v = static_cast<double>(engine_() >> 11) * 0x1p-53;
    return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
  }

 private:
  std::mt19937_64 engine_;
};

NamedTensor Matrix(Random& random, std::string name, int64_t rows, int64_t columns, double gain) {
  NamedTensor tensor{std::move(name), {rows, columns}, std::vector<float>(rows * columns)};
  const float scale = static_cast<float>(gain / std::sqrt(static_cast<double>(columns)));
  for (float& value : tensor.values) value = scale * random.Normal();
  return tensor;
}

NamedTensor Bias(Random& random, std::string name, int64_t width) {
  NamedTensor tensor{std::move(name), {width}, std::vector<float>(width)};
  for (float& value : tensor.values) value = 0.3f * random.Normal();
  return tensor;
}

NamedTensor Norm(Random& random, std::string name, int64_t width) {
  NamedTensor tensor{std::move(name), {width}, std::vector<float>(width)};
  for (float& value : tensor.values) value = 1 + 0.1f * random.Normal();
  return tensor;
}

// What an architecture has in its attention beside Llama's matrices.
void AddAttentionVectors(Random& random, const std::string& attention, const TinyModelOptions& options,
                         TinyArchitecture architecture, std::vector<NamedTensor>& tensors) {
  const int64_t head_size = options.width / options.heads;
  if (architecture == TinyArchitecture::kQwen2) {
    tensors.push_back(Bias(random, attention + "q_proj.bias", options.width));
    tensors.push_back(Bias(random, attention + "k_proj.bias", head_size * options.kv_heads));
    tensors.push_back(Bias(random, attention + "v_proj.bias", head_size * options.kv_heads));
  } else if (architecture == TinyArchitecture::kQwen3) {
    tensors.push_back(Norm(random, attention + "q_norm.weight", head_size));
    tensors.push_back(Norm(random, attention + "k_norm.weight", head_size));
  }
}

std::vector<NamedTensor> Tensors(const TinyModelOptions& options, TinyArchitecture architecture) {
  Random random(options.seed);
  const int64_t width = options.width;
  const int64_t kv_width = int64_t{options.width / options.heads} * options.kv_heads;
  std::vector<NamedTensor> tensors;
  // The final norm brings hidden states to length sqrt(width), so a gain of 2 gives logits of deviation 2.
  tensors.push_back(Matrix(random, "model.embed_tokens.weight", kTinyVocabulary, width, 2));
  for (int i = 0; i < options.layers; ++i) {
    const std::string layer = absl::StrCat("model.layers.", i, ".");
    tensors.push_back(Norm(random, layer + "input_layernorm.weight", width));
    tensors.push_back(Matrix(random, layer + "self_attn.q_proj.weight", width, width, 1.5));
    tensors.push_back(Matrix(random, layer + "self_attn.k_proj.weight", kv_width, width, 1.5));
    tensors.push_back(Matrix(random, layer + "self_attn.v_proj.weight", kv_width, width, 1));
    tensors.push_back(Matrix(random, layer + "self_attn.o_proj.weight", width, width, 0.7));
    AddAttentionVectors(random, layer + "self_attn.", options, architecture, tensors);
    tensors.push_back(Norm(random, layer + "post_attention_layernorm.weight", width));
    tensors.push_back(Matrix(random, layer + "mlp.gate_proj.weight", options.inner, width, 1));
    tensors.push_back(Matrix(random, layer + "mlp.up_proj.weight", options.inner, width, 1));
    tensors.push_back(Matrix(random, layer + "mlp.down_proj.weight", width, options.inner, 0.7));
  }
  tensors.push_back(Norm(random, "model.norm.weight", width));
  if (!options.tied) tensors.push_back(Matrix(random, "lm_head.weight", kTinyVocabulary, width, 2));
  return tensors;
}

void AppendValues(const std::vector<float>& values, DType dtype, std::string& bytes) {
  for (const float value : values) {
    if (dtype == DType::kF32) {
      const uint32_t bits = std::bit_cast<uint32_t>(value);
      bytes.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
    } else {
      const uint16_t bits = dtype == DType::kF16 ? FloatToF16(value) : FloatToBF16(value);
      bytes.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
    }
  }
}

// A safetensors file: u64 header length, JSON header, values.
std::string SafetensorsBytes(const std::vector<NamedTensor>& tensors, DType dtype) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::string values;
  for (const NamedTensor& tensor : tensors) {
    const size_t begin = values.size();
    AppendValues(tensor.values, dtype, values);
    header[tensor.name] = {
        {"dtype", std::string(DTypeName(dtype))}, {"shape", tensor.shape}, {"data_offsets", {begin, values.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + text + values;
}

absl::Status WriteWeights(const std::filesystem::path& folder, const TinyModelOptions& options,
                          TinyArchitecture architecture) {
  const std::vector<NamedTensor> tensors = Tensors(options, architecture);
  if (!options.sharded) {
    return WriteFileAtomically(folder / "model.safetensors", SafetensorsBytes(tensors, options.dtype));
  }
  const size_t half = tensors.size() / 2;
  nlohmann::json index = {{"metadata", {{"total_size", 0}}}};
  size_t total = 0;
  for (int shard = 0; shard < 2; ++shard) {
    const std::vector<NamedTensor> part(tensors.begin() + (shard == 0 ? 0 : half),
                                        shard == 0 ? tensors.begin() + half : tensors.end());
    const std::string file = absl::StrFormat("model-%05d-of-00002.safetensors", shard + 1);
    for (const NamedTensor& tensor : part) {
      index["weight_map"][tensor.name] = file;
      total += tensor.values.size() * DTypeSize(options.dtype);
    }
    TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / file, SafetensorsBytes(part, options.dtype)));
  }
  index["metadata"]["total_size"] = total;
  return WriteFileAtomically(folder / "model.safetensors.index.json", index.dump(1));
}

void ApplyArchitecture(TinyArchitecture architecture, nlohmann::json& config) {
  switch (architecture) {
    case TinyArchitecture::kLlama:
      return;
    case TinyArchitecture::kLlama3:
      config["rope_scaling"] = {{"rope_type", "llama3"},
                                {"factor", 8.0},
                                {"low_freq_factor", 1.0},
                                {"high_freq_factor", 4.0},
                                {"original_max_position_embeddings", 64}};
      return;
    case TinyArchitecture::kMistral:
      config.update({{"architectures", {"MistralForCausalLM"}}, {"model_type", "mistral"}, {"sliding_window", 24}});
      return;
    case TinyArchitecture::kQwen2:
      config.update({{"architectures", {"Qwen2ForCausalLM"}}, {"model_type", "qwen2"}});
      return;
    case TinyArchitecture::kQwen3:
      config.update({{"architectures", {"Qwen3ForCausalLM"}},
                     {"model_type", "qwen3"},
                     {"head_dim", config["hidden_size"].get<int>() / config["num_attention_heads"].get<int>()}});
      return;
  }
}

std::string ConfigText(const TinyModelOptions& options, TinyArchitecture architecture) {
  const char* dtype = options.dtype == DType::kF32 ? "float32" : options.dtype == DType::kF16 ? "float16" : "bfloat16";
  nlohmann::json config = {{"architectures", {"LlamaForCausalLM"}},
                           {"model_type", "llama"},
                           {"attention_bias", false},
                           {"mlp_bias", false},
                           {"bos_token_id", kTinyBosId},
                           {"eos_token_id", kTinyEosId},
                           {"hidden_act", "silu"},
                           {"hidden_size", options.width},
                           {"intermediate_size", options.inner},
                           {"max_position_embeddings", 2048},
                           {"num_attention_heads", options.heads},
                           {"num_hidden_layers", options.layers},
                           {"num_key_value_heads", options.kv_heads},
                           {"rms_norm_eps", 1e-5},
                           {"rope_theta", 10000.0},
                           {"rope_scaling", nullptr},
                           {"tie_word_embeddings", options.tied},
                           {"torch_dtype", dtype},
                           {"vocab_size", kTinyVocabulary}};
  ApplyArchitecture(architecture, config);
  return config.dump(2);
}

std::string TokenizerConfigText() {
  const nlohmann::json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                                 {"bos_token", "<|endoftext|>"},
                                 {"eos_token", "<|im_end|>"},
                                 {"pad_token", "<|pad|>"},
                                 {"model_max_length", 2048},
                                 {"chat_template", kChatTemplate}};
  return config.dump(2);
}

}  // namespace

absl::StatusOr<std::filesystem::path> WriteTinyModel(const std::filesystem::path& folder,
                                                     const TinyModelOptions& options) {
  return WriteTinyModelOf(TinyArchitecture::kLlama, folder, options);
}

absl::StatusOr<std::filesystem::path> WriteTinyModelOf(TinyArchitecture architecture,
                                                       const std::filesystem::path& folder,
                                                       const TinyModelOptions& options) {
  const bool known_dtype =
      options.dtype == DType::kF32 || options.dtype == DType::kF16 || options.dtype == DType::kBF16;
  if (!known_dtype || options.layers < 1 || options.heads < 1 || options.kv_heads < 1 || options.inner < 1 ||
      options.width % (2 * options.heads) != 0 || options.heads % options.kv_heads != 0) {
    return absl::InvalidArgumentError("tiny model: options do not fit each other");
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::InternalError(absl::StrCat("making ", folder.string(), ": ", error.message()));
  const nlohmann::json generation = {{"bos_token_id", kTinyBosId}, {"eos_token_id", kTinyEosId}, {"do_sample", false}};
  TERSOR_RETURN_IF_ERROR(WriteWeights(folder, options, architecture));
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / "tokenizer.json", TinyTokenizerJson()));
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / "tokenizer_config.json", TokenizerConfigText()));
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / "generation_config.json", generation.dump(2)));
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / "LICENSE", "Random numbers; public domain.\n"));
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(folder / "config.json", ConfigText(options, architecture)));
  return folder;
}

}  // namespace tersor::testing
