// The tiny model in the architectures beside Llama.
#ifndef TERSOR_TESTS_TESTING_TINY_ARCHITECTURE_H_
#define TERSOR_TESTS_TESTING_TINY_ARCHITECTURE_H_

#include "tests/testing/tiny_model.h"

namespace tersor::testing {

enum class TinyArchitecture {
  kLlama,
  // Llama with the rope scaling of Llama 3, trained for 64 positions.
  kLlama3,
  // Every position attends to the last 24.
  kMistral,
  // Biases of queries, keys and values.
  kQwen2,
  // Norms of queries and keys.
  kQwen3,
};

// As WriteTinyModel does it for Llama.
absl::StatusOr<std::filesystem::path> WriteTinyModelOf(TinyArchitecture architecture,
                                                       const std::filesystem::path& folder,
                                                       const TinyModelOptions& options = {});

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_TESTING_TINY_ARCHITECTURE_H_
