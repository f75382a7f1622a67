// Perplexity of a dense model under one protocol: value and tokens per second as one JSON line. The clock runs over the
// scoring pass alone, as llama-perplexity's does: not over loading and tokenizing.
#include <cstdio>
#include <filesystem>
#include <string>

#include "benchmarks/program.h"
#include "core/calibration/dataset.h"
#include "core/encoding/gguf_block_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/protocol.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/scoring_model.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

struct Arguments {
  std::string model;
  std::string text;
  std::string convention = "llama.cpp";
  int window = 512;
  int windows = 0;
  int threads = 2;
  bool int8_inputs = false;
};

// Inputs of layers with GGUF blocks rounded to 8 bits in blocks of 32, as llama.cpp rounds them before its products.
absl::Status RoundInputs(Model& model) {
  IntTokenOptions options;
  options.group_size = 32;
  if (model.spec.tied) {
    TERSOR_ASSIGN_OR_RETURN(model.parameters[std::string(kHeadName)], model.Head());
    model.spec.tied = false;
  }
  for (auto& [name, tensor] : model.parameters) {
    if (tensor->encoding() != GgufBlockTensor::kName || tensor->shape().size() != 2 || name == kEmbeddingName) continue;
    TERSOR_ASSIGN_OR_RETURN(const ActivationFormatPtr format, IntTokenFormat::Create(tensor->columns(), options));
    TERSOR_ASSIGN_OR_RETURN(tensor, InputFormatTensor::Create(tensor, format));
  }
  return absl::OkStatus();
}

absl::Status Run(const Arguments& arguments) {
  TERSOR_ASSIGN_OR_RETURN(Model model, LoadModel(arguments.model));
  if (arguments.int8_inputs) TERSOR_RETURN_IF_ERROR(RoundInputs(model));
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(model.assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const std::filesystem::path path, FindDataset(arguments.text, DefaultDataPaths()));
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  v1::PerplexityEvaluation evaluation;
  evaluation.set_dataset(arguments.text);
  evaluation.set_convention(arguments.convention);
  evaluation.set_window(arguments.window);
  evaluation.set_max_windows(arguments.windows);
  TERSOR_ASSIGN_OR_RETURN(const ProtocolModel described, DescribeForProtocol(model, tokenizer.get()));
  TERSOR_ASSIGN_OR_RETURN(const Protocol protocol, ResolveProtocol(evaluation, described, tokenizer->sha256(), text));
  TERSOR_ASSIGN_OR_RETURN(const ScoredWindows windows, CutWindows(protocol, *tokenizer, text));
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel scoring, PrepareScoring(model, {.threads = arguments.threads}));
  TERSOR_ASSIGN_OR_RETURN(const v1::PerplexityResult result,
                          MeasurePerplexity("dense", scoring, protocol, windows, {}));
  const nlohmann::json line = {{"protocol", result.protocol()}, {"windows", result.windows_size()},
                               {"tokens", windows.tokens()},    {"threads", arguments.threads},
                               {"seconds", result.seconds()},   {"tokens_per_second", result.tokens_per_second()},
                               {"perplexity", result.value()}};
  std::printf("%s\n", line.dump().c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tersor

int main(int argc, char** argv) {
  tersor::Arguments arguments;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("text", arguments.text, "Data set or text file")->required();
    app.add_option("--convention", arguments.convention, "windows, llama.cpp or words");
    app.add_option("--window", arguments.window, "Tokens of a window");
    app.add_option("--windows", arguments.windows, "The first N windows; 0: all");
    app.add_flag("--int8-inputs", arguments.int8_inputs, "Round inputs of layers with GGUF blocks as llama.cpp does");
  };
  return tersor::RunProgram(argc, argv, "Measures the perplexity of a model and the speed of measuring it", arguments,
                            add_options, tersor::Run);
}
