#include "core/train/adapter.h"

#include <cmath>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/model/tensor_layout.h"

namespace tersor {
namespace {

// Whether the tensor is the weight of a linear layer of a block.
bool IsLayerWeight(const FileTensor& tensor) {
  return tensor.shape.size() == 2 && absl::StartsWith(tensor.parts[0].parameter, "model.layers.");
}

// The same on every machine.
std::vector<float> UniformValues(int64_t count, double limit, uint64_t seed, const std::string& name) {
  std::seed_seq sequence(name.begin(), name.end());
  std::vector<uint32_t> words(2);
  sequence.generate(words.begin(), words.end());
  std::mt19937_64 generator(seed ^ (uint64_t{words[0]} << 32 | words[1]));
  std::vector<float> values(count);
  constexpr double kUnit = 1.0 / (uint64_t{1} << 53);
  for (float& value : values) {
    value = static_cast<float>(limit * (2 * static_cast<double>(generator() >> 11) * kUnit - 1));
  }
  return values;
}

absl::Status CheckRank(const LoraOptions& options, const FileTensor& tensor) {
  for (const TensorPart& part : tensor.parts) {
    const int64_t highest = std::min(part.rows, tensor.shape[1]);
    if (options.rank >= 1 && options.rank <= highest) continue;
    return absl::InvalidArgumentError(absl::StrCat("rank ", options.rank, " of an adapter: layer ",
                                                   absl::StripSuffix(part.parameter, ".weight"), " allows 1 to ",
                                                   highest));
  }
  return absl::OkStatus();
}

}  // namespace

float LoraOptions::scale() const {
  return static_cast<float>(alpha / (rank_stabilized ? std::sqrt(static_cast<double>(rank)) : rank));
}

absl::StatusOr<std::vector<Adapter>> MakeAdapters(const ModelSpec& spec, const LoraOptions& options,
                                                  ParameterMap& parameters) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<FileTensor> tensors, FileTensors(spec));
  std::vector<Adapter> adapters;
  for (const FileTensor& tensor : tensors) {
    if (!IsLayerWeight(tensor)) continue;
    TERSOR_RETURN_IF_ERROR(CheckRank(options, tensor));
    Adapter adapter;
    adapter.module = std::string(absl::StripSuffix(tensor.name, ".weight"));
    adapter.outputs = tensor.shape[0];
    adapter.transposed = tensor.transposed;
    const int64_t inputs = tensor.shape[1];
    adapter.down = AddParameter(
        parameters, adapter.module + ".lora_A.weight", options.rank,
        UniformValues(options.rank * inputs, 1 / std::sqrt(static_cast<double>(inputs)), options.seed, adapter.module),
        true);
    for (const TensorPart& part : tensor.parts) {
      const std::string layer(absl::StripSuffix(part.parameter, ".weight"));
      Parameter* up = AddParameter(parameters, layer + ".lora_B.weight", part.rows,
                                   std::vector<float>(part.rows * options.rank), true);
      adapter.parts.push_back({layer, up, part.first, part.run, part.stride});
    }
    adapters.push_back(std::move(adapter));
  }
  return adapters;
}

std::optional<LowRankTerm> FindTerm(const std::vector<Adapter>& adapters, const LoraOptions& options,
                                    absl::string_view layer) {
  for (const Adapter& adapter : adapters) {
    for (const Adapter::Part& part : adapter.parts) {
      if (part.layer == layer) return LowRankTerm{adapter.down, part.up, options.scale()};
    }
  }
  return std::nullopt;
}

}  // namespace tersor
