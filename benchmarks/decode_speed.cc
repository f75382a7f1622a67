// Tokens per second of decoding and prefill with weights in their encoding, as one JSON line: what
// decode_vs_llama_cpp.sh compares.
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "benchmarks/program.h"
#include "core/calibration/token_batches.h"
#include "core/compress/compress_model.h"
#include "core/kernels/cpu_info.h"
#include "core/kernels/machine_limits.h"
#include "core/model/generate.h"
#include "core/model/model.h"
#include "core/statistics/moments.h"
#include "google/protobuf/text_format.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

struct Arguments {
  std::string model;
  std::string stage;
  std::vector<std::string> activations = {"int8", "float32"};
  int kv_bits = 0;
  std::string kv_keys = "token";
  int decode = 64;
  int prefill = 512;
  int repeats = 5;
  int threads = 2;
};

class NoEvents final : public EventSink {
 public:
  void Emit(const v1::Event&) override {}
};

// What decoding a token reads: every parameter, but of an embedding that is no head one row.
int64_t BytesAToken(const Model& model) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : model.parameters) {
    const auto size = static_cast<int64_t>(tensor->byte_size());
    bytes += name == kEmbeddingName && !model.spec.tied ? size / tensor->rows() : size;
  }
  return bytes;
}

absl::Status Run(const Arguments& arguments) {
  TERSOR_ASSIGN_OR_RETURN(Model model, LoadModel(arguments.model));
  v1::Recipe recipe;
  if (!arguments.stage.empty()) {
    if (!google::protobuf::TextFormat::ParseFromString(arguments.stage, recipe.add_stages()->mutable_quantize())) {
      return absl::InvalidArgumentError("--stage is not a QuantizeStage in text format");
    }
    NoEvents events;
    TERSOR_RETURN_IF_ERROR(
        CompressModel(model, recipe, {}, {.threads = arguments.threads}, nullptr, events, nullptr).status());
  }
  model.kv_format = {arguments.kv_bits, arguments.kv_keys == "channel" ? KvKeys::kChannel : KvKeys::kToken};
  TERSOR_RETURN_IF_ERROR(CheckKvFormat(model.kv_format));
  std::vector<std::unique_ptr<Generator>> generators;
  for (const std::string& name : arguments.activations) {
    ComputeOptions options{.threads = arguments.threads};
    TERSOR_ASSIGN_OR_RETURN(options.linears, ParseLinearCompute(name));
    TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<Generator> generator, Generator::Create(model, options));
    generators.push_back(std::move(generator));
  }
  std::vector<std::vector<double>> decode(generators.size()), prefill(generators.size());
  for (int round = 0; round <= arguments.repeats; ++round) {
    for (size_t i = 0; i < generators.size(); ++i) {
      TERSOR_ASSIGN_OR_RETURN(const std::vector<double> steps, generators[i]->TimeDecode({.steps = arguments.decode}));
      const double decode_seconds = std::accumulate(steps.begin(), steps.end(), 0.0);
      TERSOR_ASSIGN_OR_RETURN(const double prefill_seconds, generators[i]->TimePrefill(arguments.prefill));
      // The first round warms caches up.
      if (round == 0) continue;
      decode[i].push_back(arguments.decode / decode_seconds);
      prefill[i].push_back(arguments.prefill / prefill_seconds);
    }
  }
  const int64_t bytes = BytesAToken(model);
  const double bandwidth = MeasureReadBandwidth(arguments.threads, int64_t{1} << 30);
  nlohmann::ordered_json line = {{"cpu", GetCpuInfo().model},
                                 {"isa", GetCpuInfo().kernel_isa},
                                 {"threads", arguments.threads},
                                 {"bytes_a_token", bytes},
                                 {"read_bandwidth", bandwidth}};
  for (size_t i = 0; i < generators.size(); ++i) {
    const double rate = Quantile(decode[i], 0.5);
    nlohmann::ordered_json& row = line[arguments.activations[i]];
    row["decode"] = rate;
    row["of_bandwidth"] = rate * static_cast<double>(bytes) / bandwidth;
    row["prefill"] = Quantile(prefill[i], 0.5);
    for (const auto& [name, weights] : generators[i]->KernelsInUse().decode) row["kernels"][name] = weights;
  }
  std::printf("%s\n", line.dump().c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tersor

int main(int argc, char** argv) {
  tersor::Arguments arguments;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--stage", arguments.stage, "QuantizeStage in text format, without calibration: 'rtn { bits: 4 }'");
    app.add_option("--activations", arguments.activations, "int8, float32, decoded: each is measured, turn by turn");
    app.add_option("--kv-bits", arguments.kv_bits, "Bits of keys and values; 0: float32");
    app.add_option("--kv-keys", arguments.kv_keys, "token or channel");
    app.add_option("--decode", arguments.decode, "Tokens decoded one by one");
    app.add_option("--prefill", arguments.prefill, "Tokens of the prompt");
    app.add_option("--repeats", arguments.repeats, "Rounds; medians are printed");
  };
  return tersor::RunProgram(argc, argv, "Tokens per second of decoding and prefill with weights in their encoding",
                            arguments, add_options, tersor::Run);
}
