// The real llama.cpp (npm's prebuilt one), to load GGUF files with: tests/integration/node_llama.
#ifndef TERSOR_TESTS_TESTING_LLAMA_CPP_H_
#define TERSOR_TESTS_TESTING_LLAMA_CPP_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/status.h"

namespace tersor::testing {

// Whether scripts/fetch_node_llama.sh has been run. A test that needs it skips by name otherwise.
bool HasLlamaCpp();

struct LlamaCppCompletion {
  std::vector<int32_t> prompt_ids;
  std::vector<int32_t> ids;  // generated, the end token included
  std::string text;          // of `ids`
};

// Loads `gguf` and continues each raw prompt greedily by at most `max_tokens`, without BOS or a chat template. Starts a
// process; its files go beside each other into `work`, a folder that exists. `context`: for how many tokens, rounded up
// to a multiple of 256, by which llama.cpp chooses Phi-3's factors. An error carries what llama.cpp said.
absl::StatusOr<std::vector<LlamaCppCompletion>> ContinueWithLlamaCpp(const std::filesystem::path& gguf,
                                                                     const std::vector<std::string>& prompts,
                                                                     int max_tokens, const std::filesystem::path& work,
                                                                     int context = 1024);

// A sequence whose tokens from the place `from` (1 or more) on are scored.
struct LlamaCppSequence {
  std::vector<int32_t> ids;
  size_t from = 1;
};

// Negative log-likelihoods of the scored tokens of each sequence, as ContinueWithLlamaCpp otherwise.
absl::StatusOr<std::vector<std::vector<double>>> ScoreWithLlamaCpp(const std::filesystem::path& gguf,
                                                                   const std::vector<LlamaCppSequence>& sequences,
                                                                   const std::filesystem::path& work,
                                                                   int context = 1024);

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_TESTING_LLAMA_CPP_H_
