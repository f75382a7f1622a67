// Tokens per second of greedy generation: prompts one at a time, as a chat server decodes them, against prompts decoded
// together, as generation tasks do. One JSON line; fails where a batch changes a text.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/program.h"
#include "core/base/peak_memory.h"
#include "core/base/stopwatch.h"
#include "core/evaluate/batch_generator.h"
#include "core/model/generate.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model;
  std::string items;
  std::vector<int> batches = {1, 8, 16, 32};
  int count = 32;
  int alone = 8;
  int max_tokens = 64;
  int threads = 2;
  std::string activations = "decoded";
};

// No id ends a continuation: every run generates as many.
constexpr int64_t kNoId = -1;

absl::StatusOr<std::vector<std::vector<int32_t>>> ReadPrompts(const Arguments& arguments, const Tokenizer& tokenizer) {
  std::ifstream file(arguments.items);
  if (!file) return absl::NotFoundError("cannot read " + arguments.items);
  std::vector<std::vector<int32_t>> prompts;
  for (std::string line; static_cast<int>(prompts.size()) < arguments.count && std::getline(file, line);) {
    const Json item = Json::parse(line);
    TERSOR_ASSIGN_OR_RETURN(prompts.emplace_back(), tokenizer.Encode(item.at("context").get<std::string>()));
  }
  return prompts;
}

absl::StatusOr<ComputeOptions> Compute(const Arguments& arguments) {
  ComputeOptions options{.threads = arguments.threads};
  TERSOR_ASSIGN_OR_RETURN(options.linears, ParseLinearCompute(arguments.activations));
  return options;
}

// Tokens per second.
absl::StatusOr<double> OneAtATime(const Model& model, std::span<const std::vector<int32_t>> prompts,
                                  const Arguments& arguments) {
  TERSOR_ASSIGN_OR_RETURN(const ComputeOptions compute, Compute(arguments));
  TERSOR_ASSIGN_OR_RETURN(const auto generator, Generator::Create(model, compute));
  const Stopwatch watch;
  for (const std::vector<int32_t>& prompt : prompts) {
    TERSOR_RETURN_IF_ERROR(
        generator->Generate(prompt, {.max_tokens = arguments.max_tokens, .stop_ids = {kNoId}}, nullptr).status());
  }
  return static_cast<double>(prompts.size()) * arguments.max_tokens / watch.Seconds();
}

absl::Status Run(const Arguments& arguments) {
  TERSOR_ASSIGN_OR_RETURN(const Model model, LoadModel(arguments.model));
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(model.assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const auto prompts, ReadPrompts(arguments, *tokenizer));
  size_t prompt_tokens = 0;
  for (const std::vector<int32_t>& prompt : prompts) prompt_tokens += prompt.size();
  const double generated = static_cast<double>(prompts.size()) * arguments.max_tokens;
  Json line = {{"prompts", prompts.size()},
               {"prompt_tokens", prompt_tokens},
               {"generated_tokens", generated},
               {"threads", arguments.threads}};
  const size_t alone_prompts = std::min<size_t>(std::max(arguments.alone, 1), prompts.size());
  TERSOR_ASSIGN_OR_RETURN(const double alone, OneAtATime(model, std::span(prompts).first(alone_prompts), arguments));
  line["one_at_a_time"] = alone;
  TERSOR_ASSIGN_OR_RETURN(const ComputeOptions compute, Compute(arguments));
  std::vector<GeneratedText> first;
  for (const int batch : arguments.batches) {
    BatchGenerateOptions options{.compute = compute, .max_tokens = arguments.max_tokens};
    options.end_ids = {kNoId};
    options.batch = batch;
    // Preparing the weights is part of it.
    const Stopwatch watch;
    TERSOR_ASSIGN_OR_RETURN(std::vector<GeneratedText> texts, GenerateAll(model, *tokenizer, prompts, options, {}));
    const double seconds = watch.Seconds();
    line[absl::StrCat("batch_", batch)] = {{"tokens_per_second", generated / seconds},
                                           {"ratio", generated / seconds / alone}};
    for (size_t i = 0; i < first.size(); ++i) {
      if (texts[i].ids != first[i].ids) return absl::InternalError(absl::StrCat("prompt ", i, " depends on the batch"));
    }
    first = std::move(texts);
  }
  line["peak_bytes"] = PeakResidentBytes();
  std::printf("%s\n", line.dump().c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tersor

int main(int argc, char** argv) {
  tersor::Arguments arguments;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("items", arguments.items, "Task items, JSON Lines; their contexts are the prompts")->required();
    app.add_option("--batches", arguments.batches, "Prompts decoded at a time; each is measured");
    app.add_option("--count", arguments.count, "The first N items");
    app.add_option("--alone", arguments.alone, "Of these, the first N are decoded one at a time");
    app.add_option("--max-tokens", arguments.max_tokens, "Tokens after each prompt");
    app.add_option("--activations", arguments.activations,
                   "What encoded weights are multiplied in: decoded, float32 or int8");
  };
  return tersor::RunProgram(argc, argv, "Tokens per second of generation, one at a time and in batches", arguments,
                            add_options, tersor::Run);
}
