// A model as loaded: shapes, named parameters in their stored encoding, and the files that travel with it.
#ifndef TERSOR_CORE_MODEL_MODEL_H_
#define TERSOR_CORE_MODEL_MODEL_H_

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"
#include "core/model/kv_format.h"
#include "core/model/model_spec.h"

namespace tersor {

// Files beside the weights that every written folder carries on.
struct ModelAssets {
  // Hugging Face tokenizer.json; empty where the source has none, or none that can be used.
  std::string tokenizer_json;
  // Why a tokenizer that the source has is not in tokenizer_json; else empty.
  std::string tokenizer_fault;
  std::string tokenizer_config_json;
  std::string chat_template;
  std::string generation_config_json;
  // Text of the licence file, and its SPDX-like id ("apache-2.0").
  std::string licence_text;
  std::string licence_id;
  // GGUF's tokenizer.ggml.pre and add_bos_token, for writing GGUF again; empty where unknown.
  std::string gguf_pre_tokenizer;
  bool add_bos = false;
};

// Something about a source that does not stop the weights and should be known.
struct SourceWarning {
  // "WEIGHTS_ONLY": what the file asks of a runtime beside its weights and Tersor does not do. "TOKENIZER": a detail of
  // the tokenizer that was ignored or guessed.
  std::string code;
  // A sentence.
  std::string text;
};

// Where the model came from.
struct ModelSource {
  std::filesystem::path path;
  // "huggingface", "gguf" or "tersor".
  std::string format;
  // SHA-256 over the source files' hashes (weights, config, tokenizer).
  std::string sha256;
  int64_t weight_bytes = 0;
  // How another tool quantized the weights: "gptq", "awq-gemm", "compressed-tensors:pack-quantized"; else empty.
  std::string quantization;
  std::vector<SourceWarning> warnings;
};

// Parameters by Llama's Hugging Face names ("model.layers.0.self_attn.q_proj.weight") whatever the architecture calls
// them, each for itself and [outputs, inputs] however the file joins them (tensor_layout.h): q and k rows as
// rotate_half wants them. A tied head has no entry of its own. Cheap to copy; tensors are shared. Whoever compresses
// replaces entries.
class Model {
 public:
  ModelSpec spec;
  // How its cache stores keys and values, in generation and in scoring alike.
  KvFormat kv_format;
  ModelAssets assets;
  ModelSource source;
  std::map<std::string, EncodedTensorPtr, std::less<>> parameters;

  // NOT_FOUND names the parameter.
  absl::StatusOr<EncodedTensorPtr> Find(absl::string_view name) const;
  // The head's matrix: lm_head.weight, or the embedding where tied.
  absl::StatusOr<EncodedTensorPtr> Head() const;
  // Logical elements; ties counted once.
  int64_t ParameterCount() const;
  // Bytes of all parameters in their encodings; ties counted once.
  uint64_t ByteSize() const;
};

// Of a model without tokenizer_json: "PATH has no tokenizer ...", or why the one it has cannot be used.
std::string WhyNoTokenizer(const Model& model);

// Loads a Hugging Face folder, a .gguf file or a Tersor container by looking at `path`. Weights stay mapped.
// INVALID_ARGUMENT names the file and tensor that lies; UNIMPLEMENTED names an architecture that is not in the table.
// `hash_content`: fill source.sha256 (reads every byte; cached hashes are the caller's business).
absl::StatusOr<Model> LoadModel(const std::filesystem::path& path, bool hash_content = false);

inline constexpr absl::string_view kEmbeddingName = "model.embed_tokens.weight";
inline constexpr absl::string_view kHeadName = "lm_head.weight";
inline constexpr absl::string_view kFinalNormName = "model.norm.weight";
inline constexpr absl::string_view kFinalNormBiasName = "model.norm.bias";
// Learned positions.
inline constexpr absl::string_view kPositionsName = "model.embed_positions.weight";

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_MODEL_H_
