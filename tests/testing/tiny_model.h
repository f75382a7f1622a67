// A tiny Llama with random weights as a Hugging Face folder, so that tests need no download.
#ifndef TERSOR_TESTS_TESTING_TINY_MODEL_H_
#define TERSOR_TESTS_TESTING_TINY_MODEL_H_

#include <cstdint>
#include <filesystem>

#include "core/base/status.h"
#include "core/tensor/dtype.h"

namespace tersor::testing {

struct TinyModelOptions {
  int layers = 2;
  // A multiple of 2 * heads.
  int width = 64;
  int heads = 4;
  int kv_heads = 2;
  int inner = 128;
  bool tied = true;
  // kF32, kF16 or kBF16.
  DType dtype = DType::kF32;
  // Two safetensors shards and an index instead of one file.
  bool sharded = false;
  uint64_t seed = 1;
};

// Ids of the tokenizer: specials first, then the 256 bytes, then a few merges.
inline constexpr int64_t kTinyBosId = 0;  // <|endoftext|>
inline constexpr int64_t kTinyEosId = 2;  // <|im_end|>
inline constexpr int64_t kTinyVocabulary = 272;

// Writes config.json, model.safetensors (or shards), tokenizer.json (byte-level BPE over all 256 bytes),
// tokenizer_config.json with a chat template, generation_config.json and LICENSE into `folder`, which is made where it
// is missing. The same options give the same bytes. Weights are scaled so that logits have a standard deviation of
// about 2. Returns `folder`.
absl::StatusOr<std::filesystem::path> WriteTinyModel(const std::filesystem::path& folder,
                                                     const TinyModelOptions& options = {});

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_TESTING_TINY_MODEL_H_
