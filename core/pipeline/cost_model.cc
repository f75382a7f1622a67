#include "core/pipeline/cost_model.h"

#include <algorithm>
#include <set>
#include <string>

#include "core/evaluate/batch_generator.h"
#include "core/kernels/attention.h"

namespace tersor {
namespace {

// Rates that the slowest machine we support reaches: bounds, not forecasts. Progress scales them by what it sees.
constexpr double kFlopsPerThread = 25e9;
constexpr double kReadBytesPerSecond = 5e9;
constexpr double kDiskBytesPerSecond = 100e6;
// Scoring runs groups of at most this many tokens at a time (evaluate's GroupLimits).
constexpr int64_t kGroupTokens = 16384;
// What allocators and the matmul library keep of evaluations: exports come after them.
constexpr int64_t kKeptBytes = int64_t{128} << 20;

// Of a row, what the widest MLP makes of it, at least two of the residual stream.
int64_t InnerFloats(const ModelSpec& spec) {
  int64_t widest = 2 * spec.width;
  for (const LayerSpec& layer : spec.layers) {
    widest = std::max<int64_t>(widest, int64_t{layer.inner_matrices()} * layer.inner_width);
  }
  return widest;
}

// What decoding prompts of at most `longest` tokens keeps beside what scoring takes: all blocks' weights as floats,
// keys and values of the sequences decoded together, their logits.
int64_t GenerationBytes(const ModelSpec& spec, const LoadedTask& task, int64_t longest) {
  const BatchGenerateOptions options;
  double weights = 0;
  int64_t position = 0;
  for (const LayerSpec& layer : spec.layers) {
    weights += static_cast<double>(layer.LinearWeights(spec.width));
    position += 2 * layer.attention.kv_heads * layer.attention.head_size * int64_t{sizeof(float)};
  }
  int64_t positions = longest + task.definition.generate().max_tokens();
  if (spec.context_length > 0) positions = std::min<int64_t>(positions, spec.context_length);
  const int64_t sequence = (positions / kKeyBlock + 2) * kKeyBlock * position;
  // One more holds what the next prompts begin with.
  const int64_t sequences = std::min<int64_t>(options.batch, static_cast<int64_t>(task.items.size())) + 1;
  const int64_t cache = std::min(sequences * sequence, std::max(options.cache_bytes, sequence));
  const int64_t logits = sequences * spec.vocabulary * int64_t{sizeof(float)};
  return static_cast<int64_t>(weights) * int64_t{sizeof(float)} + cache + 2 * logits;
}

double WritingSeconds(int64_t bytes) { return 1 + 2.0 * static_cast<double>(bytes) / kDiskBytesPerSecond; }

}  // namespace

int64_t ProcessBytes(const Model& model) {
  constexpr int64_t kProgramBytes = int64_t{128} << 20, kTokenizerShare = 40;
  return kProgramBytes + kTokenizerShare * static_cast<int64_t>(model.assets.tokenizer_json.size());
}

double BlockFlopsPerToken(const ModelSpec& spec, int64_t context) {
  double flops = 0;
  for (const LayerSpec& layer : spec.layers) {
    const double span = layer.attention.sliding_window > 0 ? std::min<double>(context, layer.attention.sliding_window)
                                                           : static_cast<double>(context);
    // Scores and their product with the values, over half of the square below the diagonal.
    flops += 2.0 * static_cast<double>(layer.LinearWeights(spec.width)) +
             2.0 * span * layer.attention.heads * layer.attention.head_size;
  }
  return flops;
}

double HeadFlopsPerToken(const ModelSpec& spec) { return 2.0 * spec.width * spec.vocabulary; }

StageCost ScoringCost(const ModelSpec& spec, int64_t tokens, int64_t scored, int64_t window, int heads, int threads) {
  StageCost cost;
  cost.seconds = (tokens * BlockFlopsPerToken(spec, window) + heads * scored * HeadFlopsPerToken(spec)) /
                 (kFlopsPerThread * std::max(threads, 1));
  const int64_t group = std::min(tokens, std::max(kGroupTokens, window));
  const int64_t block = spec.layers.empty() ? 0 : spec.layers[0].LinearWeights(spec.width) * 4;
  const int64_t head = spec.width * spec.vocabulary * 4;
  const int64_t activations = group * (2 * spec.width + InnerFloats(spec)) * 4;
  // The head's weights and a block's: as floats, and in three bf16 terms at most.
  cost.peak_bytes = kProcessBytes + (heads * head + block) / 2 * 5 + activations;
  return cost;
}

StageCost TaskCost(const ModelSpec& spec, const LoadedTask& task, int threads) {
  constexpr double kBytesPerToken = 3.0;
  // Decoding a batch token by token gets this share of what matrix products of many rows reach.
  constexpr double kDecodeShare = 0.25;
  const bool generates = task.definition.scorer() == v1::TASK_SCORER_GENERATE;
  double read = 0, scored = 0, longest = 0, longest_read = 0;
  std::set<std::string> groups;
  for (const TaskItem& item : task.items) {
    // Shots are shared by the items of a group: computed once.
    if (groups.insert(item.group).second) read += static_cast<double>(task.Preamble(item).size());
    for (const std::string& prompt : item.prompts) read += static_cast<double>(prompt.size());
    for (const std::string& text : item.continuations) scored += static_cast<double>(text.size());
    longest = std::max(longest, static_cast<double>(item.prompts[0].size()));
    longest_read = std::max(longest_read, static_cast<double>(task.Preamble(item).size() + item.prompts[0].size()));
  }
  double answered = scored / kBytesPerToken;
  if (generates) answered = task.definition.generate().max_tokens() * static_cast<double>(task.items.size());
  const int64_t window = std::min<int64_t>(static_cast<int64_t>(longest / kBytesPerToken) + 1, 4096);
  StageCost cost = ScoringCost(spec, static_cast<int64_t>(read / kBytesPerToken + answered),
                               static_cast<int64_t>(answered), window, 1, threads);
  if (!generates) return cost;
  cost.seconds /= kDecodeShare;
  cost.peak_bytes += GenerationBytes(spec, task, static_cast<int64_t>(longest_read / kBytesPerToken) + 1);
  return cost;
}

StageCost PerformanceCost(const Model& model, const PerformanceOptions& options, int subjects) {
  StageCost cost;
  const double rounds = options.repeats + 1.0;
  const int64_t parameters = model.ParameterCount();
  const double prefill = options.prefill * BlockFlopsPerToken(model.spec, options.prefill) /
                         (kFlopsPerThread * std::max(options.threads, 1));
  const double decode = options.decode * 4.0 * parameters / kReadBytesPerSecond;
  cost.seconds = subjects * rounds * (prefill + decode);
  // Float weights, prepared for the matmul library, and what decoding them needs for a moment.
  cost.peak_bytes = kProcessBytes + subjects * parameters * 4 + model.spec.width * model.spec.vocabulary * 8;
  return cost;
}

StageCost StatisticsCost(const ModelSpec& spec, int64_t tokens, int threads) {
  StageCost cost = ScoringCost(spec, tokens, 0, tokens, 0, threads);
  // The inputs of a segment and of the next, of all tokens at once.
  cost.peak_bytes += tokens * InnerFloats(spec) * int64_t{sizeof(float)} + kKeptBytes;
  return cost;
}

StageCost ContainerCost(const Model& model, int64_t bytes) {
  int64_t largest = 0;
  for (const auto& [name, parameter] : model.parameters) {
    largest = std::max(largest, static_cast<int64_t>(parameter->byte_size()));
  }
  // The weights as they are in memory and as they are mapped again; a parameter's fields are gathered to be compared.
  // Some of what compressing has freed is not given back.
  return {.seconds = WritingSeconds(bytes), .peak_bytes = ProcessBytes(model) + 2 * (bytes + largest) + kKeptBytes / 4};
}

StageCost WritingCost(const Model& model, int64_t bytes) {
  return {.seconds = WritingSeconds(bytes),
          .peak_bytes = kProcessBytes + 2 * bytes + model.spec.width * model.spec.vocabulary * 8};
}

}  // namespace tersor
