// Token-by-token generation with a KV cache.
#ifndef TERSOR_CORE_MODEL_GENERATE_H_
#define TERSOR_CORE_MODEL_GENERATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"

namespace tersor {

struct GenerateOptions {
  int max_tokens = 128;
  // 0 is greedy.
  double temperature = 0;
  uint64_t seed = 0;
  // Generation ends with (and includes) one of these.
  std::vector<int64_t> stop_ids;
  const CancellationToken* cancellation = nullptr;
};

// Decoding to be timed: `batch` sequences of their own, each of `context` ids before the first of `steps` steps, which
// decode one id of each sequence, all together.
struct DecodeTiming {
  int steps = 64;
  int context = 16;
  int batch = 1;
};

// All blocks of a model resident for repeated use. Thread-compatible. What a prompt shares with the one before it is
// not computed again; results depend on neither that nor the number of threads.
class Generator {
 public:
  static absl::StatusOr<std::unique_ptr<Generator>> Create(const Model& model, const ComputeOptions& options);
  virtual ~Generator() = default;

  // The continuation alone (no prompt ids), at least one id unless max_tokens is 0. `on_token` (may be null) sees each
  // id as it comes. Ends where the model's context is full. INVALID_ARGUMENT for an empty or too long prompt.
  virtual absl::StatusOr<std::vector<int32_t>> Generate(std::span<const int32_t> prompt, const GenerateOptions& options,
                                                        const std::function<void(int32_t)>& on_token) = 0;
  // How many weights are multiplied in what, prefill and decode: {"float32": 134515008}.
  struct Kernels {
    std::map<std::string, int64_t> prefill, decode;
  };
  virtual Kernels KernelsInUse() const = 0;
  // Logits of the last position after `prompt`.
  virtual absl::StatusOr<std::vector<float>> LastLogits(std::span<const int32_t> prompt) = 0;

  // Wall seconds of one prefill of `tokens` ids, the logits after the last one included.
  virtual absl::StatusOr<double> TimePrefill(int tokens) = 0;
  // Wall seconds of each step of decoding.
  virtual absl::StatusOr<std::vector<double>> TimeDecode(const DecodeTiming& timing) = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_GENERATE_H_
