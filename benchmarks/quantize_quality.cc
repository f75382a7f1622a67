// Compresses a model by the stages of a recipe and prints seconds, peak memory, size, perplexity, divergence from the
// dense model and, with --prefill, how much faster than that it reads a prompt, as one JSON line.
// The figures of docs/results.md come from here.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/program.h"
#include "core/base/atomic_file.h"
#include "core/base/peak_memory.h"
#include "core/base/stopwatch.h"
#include "core/calibration/dataset.h"
#include "core/calibration/token_batches.h"
#include "core/compress/compress_model.h"
#include "core/evaluate/dense_baseline.h"
#include "core/evaluate/divergence.h"
#include "core/evaluate/performance.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/protocol.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/scoring_model.h"
#include "core/kernels/cpu_info.h"
#include "core/model/generate.h"
#include "core/model/model.h"
#include "core/statistics/moments.h"
#include "core/tokenizer/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

struct Arguments {
  std::string model;
  std::string stage;
  std::string stages;
  std::string calibration = "wikitext2_tokens_valid";
  std::string evaluation = "wikitext2_tokens_test";
  int samples = 16;
  int tokens = 512;
  int windows = 8;
  int window = 2048;
  int threads = 2;
  bool layers = false;
  bool bf16 = false;
  bool f32 = false;
  int kv_bits = 0;
  std::string kv_keys = "token";
  std::string baselines;
  int prefill = 0;
  int repeats = 7;
  int decode = 0;
};

class LayerPrinter final : public EventSink {
 public:
  explicit LayerPrinter(bool layers) : layers_(layers) {}
  void Emit(const v1::Event& event) override {
    if (event.has_warning()) std::fprintf(stderr, "warning: %s\n", event.warning().message().c_str());
    if (!layers_ || !event.has_layer()) return;
    std::fprintf(stderr, "%-40s error %.6f bits %.3f %s\n", event.layer().name().c_str(),
                 event.layer().relative_error(), event.layer().true_bits(), event.layer().note().c_str());
  }

 private:
  const bool layers_;
};

absl::StatusOr<std::string> ReadDataset(const std::string& name) {
  TERSOR_ASSIGN_OR_RETURN(const std::filesystem::path path, FindDataset(name, DefaultDataPaths()));
  return ReadText(path);
}

v1::PerplexityEvaluation MakeEvaluation(const Arguments& arguments) {
  v1::PerplexityEvaluation evaluation;
  evaluation.set_dataset(arguments.evaluation);
  evaluation.set_window(arguments.window);
  evaluation.set_max_windows(arguments.windows);
  return evaluation;
}

// Perplexity, and the divergence from `dense` where there is a folder for what is kept of it.
absl::Status Evaluate(const Arguments& arguments, const Model& dense, const Model& model, const Tokenizer& tokenizer,
                      nlohmann::json& line) {
  const ComputeOptions options{.threads = arguments.threads};
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadDataset(arguments.evaluation));
  TERSOR_ASSIGN_OR_RETURN(const Protocol protocol,
                          ResolveProtocol(MakeEvaluation(arguments), {}, tokenizer.sha256(), text));
  TERSOR_ASSIGN_OR_RETURN(const ScoredWindows windows, CutWindows(protocol, tokenizer, text));
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel scoring, PrepareScoring(model, options));
  if (arguments.baselines.empty()) {
    TERSOR_ASSIGN_OR_RETURN(const v1::PerplexityResult perplexity,
                            MeasurePerplexity("compressed", scoring, protocol, windows, {}));
    line["perplexity"] = perplexity.value();
    return absl::OkStatus();
  }
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel dense_scoring, PrepareScoring(dense, options));
  const BaselineKey key{protocol.Hash(), dense.source.sha256, "f32", "", ""};
  TERSOR_ASSIGN_OR_RETURN(const DenseBaseline baseline,
                          MeasureBaseline([&] { return PrepareScoring(dense, options); }, dense.spec.width, windows,
                                          key, arguments.baselines, /*keep_hidden=*/true, {}));
  TERSOR_ASSIGN_OR_RETURN(const Comparison comparison,
                          CompareWithBaseline(scoring, *dense_scoring.head, baseline, protocol, windows, 0.95, {}));
  line["perplexity"] = comparison.perplexity.value();
  line["kl_mean"] = comparison.divergence.kl_mean();
  line["top1_agreement"] = comparison.divergence.top1_agreement();
  return absl::OkStatus();
}

// Tokens per second of a prompt, dense and compressed turn by turn: medians, and that of the rounds' ratios.
absl::Status TimePrefill(const Arguments& arguments, const Model& dense, const Model& model, nlohmann::json& line) {
  const ComputeOptions options{.threads = arguments.threads, .linears = LinearCompute::kEncodedInt8};
  std::vector<std::unique_ptr<Generator>> generators;
  for (const Model* one : {&dense, &model}) {
    TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<Generator> generator, Generator::Create(*one, options));
    generators.push_back(std::move(generator));
  }
  std::vector<double> rates[2], ratios;
  for (int round = 0; round <= arguments.repeats; ++round) {
    double seconds[2];
    for (int i = 0; i < 2; ++i) {
      TERSOR_ASSIGN_OR_RETURN(seconds[i], generators[i]->TimePrefill(arguments.prefill));
    }
    // The first round warms caches up.
    if (round == 0) continue;
    for (int i = 0; i < 2; ++i) rates[i].push_back(arguments.prefill / seconds[i]);
    ratios.push_back(seconds[0] / seconds[1]);
  }
  line["prefill"] = {{"tokens", arguments.prefill},
                     {"dense", Quantile(rates[0], 0.5)},
                     {"compressed", Quantile(rates[1], 0.5)},
                     {"ratio", Quantile(ratios, 0.5)},
                     {"kernels", generators[1]->KernelsInUse().prefill},
                     {"isa", GetCpuInfo().onednn_isa}};
  return absl::OkStatus();
}

// Tokens per second of decoding in the stored codes (int8 activations), the median of five rounds.
absl::Status MeasureDecode(const Arguments& arguments, const Model& model, nlohmann::json& line) {
  const ComputeOptions options{.threads = arguments.threads, .linears = LinearCompute::kEncodedInt8};
  TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator, Generator::Create(model, options));
  const PerformanceSubject subject = {"compressed", generator.get(), &model.spec};
  const PerformanceOptions performance = {.prefill = 16, .decode = arguments.decode, .threads = arguments.threads};
  TERSOR_ASSIGN_OR_RETURN(const PerformanceFigures figures,
                          MeasurePerformance({&subject, 1}, performance, nullptr, {}));
  for (const v1::PerformanceResult& result : figures.results) {
    if (result.kind() == "decode") line["decode_tokens_per_second"] = result.tokens_per_second();
  }
  return absl::OkStatus();
}

// Bytes over weights of the layers that were compressed.
double TrueBits(const Model& model, const CompressionResult& result) {
  double bits = 0, weights = 0;
  for (const v1::LayerResult& layer : result.layers) {
    const auto found = model.parameters.find(layer.name() + ".weight");
    if (found == model.parameters.end()) continue;
    bits += 8.0 * static_cast<double>(found->second->byte_size());
    weights += static_cast<double>(found->second->elements());
  }
  return weights > 0 ? bits / weights : 0;
}

absl::Status Run(const Arguments& arguments) {
  v1::Recipe recipe;
  if (!arguments.stage.empty() &&
      !google::protobuf::TextFormat::ParseFromString(arguments.stage, recipe.add_stages()->mutable_quantize())) {
    return absl::InvalidArgumentError("--stage is not a QuantizeStage in text format");
  }
  if (!arguments.stages.empty() && !google::protobuf::TextFormat::ParseFromString(arguments.stages, &recipe)) {
    return absl::InvalidArgumentError("--stages is not a Recipe in text format");
  }
  TERSOR_ASSIGN_OR_RETURN(Model model, LoadModel(arguments.model, /*hash_content=*/true));
  const Model dense = model;
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(model.assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const std::string calibration_text, ReadDataset(arguments.calibration));
  TERSOR_ASSIGN_OR_RETURN(const CalibrationTokens calibration,
                          TakeCalibrationTokens(*tokenizer, calibration_text, arguments.samples, arguments.tokens));
  if (arguments.bf16) TERSOR_RETURN_IF_ERROR(CheckBF16Support());
  const ComputeOptions options{.threads = arguments.threads,
                               .precision = arguments.bf16  ? Precision::kBF16
                                            : arguments.f32 ? Precision::kF32
                                                            : Precision::kAutomatic};
  LayerPrinter printer(arguments.layers);
  // What cutting the text into tokens left behind is given back before the clock starts: it is no part of compressing.
  ReturnFreeMemory();
  const Stopwatch watch;
  TERSOR_ASSIGN_OR_RETURN(const CompressionResult result,
                          CompressModel(model, recipe, calibration, options, nullptr, printer, nullptr));
  model.kv_format = {arguments.kv_bits, arguments.kv_keys == "channel" ? KvKeys::kChannel : KvKeys::kToken};
  TERSOR_RETURN_IF_ERROR(CheckKvFormat(model.kv_format));
  nlohmann::json line = {{"stage", arguments.stages.empty() ? arguments.stage : arguments.stages},
                         {"threads", arguments.threads},
                         {"compress_seconds", watch.Seconds()},
                         {"peak_rss_mb", static_cast<double>(PeakResidentBytes()) / 1048576},
                         {"parameter_bytes", model.ByteSize()},
                         {"kv", KvFormatName(model.kv_format)}};
  double error = 0;
  for (const v1::LayerResult& layer : result.layers) error += layer.relative_error();
  if (!result.layers.empty()) line["mean_relative_error"] = error / static_cast<double>(result.layers.size());
  line["true_bits"] = TrueBits(model, result);
  if (arguments.windows > 0) TERSOR_RETURN_IF_ERROR(Evaluate(arguments, dense, model, *tokenizer, line));
  if (arguments.prefill > 0) TERSOR_RETURN_IF_ERROR(TimePrefill(arguments, dense, model, line));
  if (arguments.decode > 0) TERSOR_RETURN_IF_ERROR(MeasureDecode(arguments, model, line));
  std::printf("%s\n", line.dump().c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tersor

int main(int argc, char** argv) {
  tersor::Arguments arguments;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--stage", arguments.stage, "QuantizeStage in text format: 'gptq { bits: 4 }'; empty: dense");
    app.add_option("--stages", arguments.stages,
                   "Stages of a recipe in text format: 'stages { prune { wanda {} } } stages { quantize { gptq {} } }'")
        ->excludes("--stage");
    app.add_option("--calibration", arguments.calibration, "Data set of the calibration text");
    app.add_option("--evaluation", arguments.evaluation, "Data set of the evaluation text");
    app.add_option("--samples", arguments.samples, "Calibration sequences");
    app.add_option("--tokens", arguments.tokens, "Tokens of a calibration sequence");
    app.add_option("--windows", arguments.windows, "Evaluation windows; 0: no evaluation");
    app.add_option("--window", arguments.window, "Tokens of an evaluation window");
    app.add_option("--kv-bits", arguments.kv_bits, "Bits of keys and values; 0: float32");
    app.add_option("--kv-keys", arguments.kv_keys, "token or channel");
    app.add_option("--prefill", arguments.prefill, "Tokens of a prompt that is timed, dense and compressed; 0: none");
    app.add_option("--repeats", arguments.repeats, "Rounds of that");
    app.add_option(
        "--baselines", arguments.baselines,
        "Folder for the dense model's answers, which are measured once: the divergence from them is printed");
    app.add_option("--decode", arguments.decode, "Decoding steps to time; 0: none");
    CLI::Option* const bf16 = app.add_flag(
        "--bf16", arguments.bf16, "Calibrate in bf16, as `precision: bf16` of a recipe; evaluation stays float32");
    app.add_flag("--f32", arguments.f32, "Calibrate in float32 throughout, as `precision: f32` of a recipe")
        ->excludes(bf16);
    app.add_flag("--layers", arguments.layers, "Print each layer's error");
  };
  return tersor::RunProgram(argc, argv,
                            "Compresses a model by one stage and prints seconds, peak memory and perplexity", arguments,
                            add_options, tersor::Run);
}
