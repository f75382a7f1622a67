// Trains a model, or low-rank adapters on it, on the text behind the calibration part and prints tokens per second,
// peak memory, losses and perplexity before and after as one JSON line. `--bits` rounds the blocks' layers first: what
// training recovers of that. training_vs_torch.py runs it beside torch and PEFT.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/program.h"
#include "core/base/atomic_file.h"
#include "core/base/peak_memory.h"
#include "core/base/stopwatch.h"
#include "core/calibration/dataset.h"
#include "core/encoding/group_int_tensor.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/protocol.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/scoring_model.h"
#include "core/model/head.h"
#include "core/model/hidden_states.h"
#include "core/model/model.h"
#include "core/tensor/float16.h"
#include "core/tokenizer/tokenizer.h"
#include "core/train/peft_adapter.h"
#include "core/train/trainer.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

struct Arguments {
  std::string model;
  std::string method = "lora";
  std::string loss = "ce";
  std::string text = "wikitext2_tokens_valid";
  std::string evaluation = "wikitext2_tokens_test";
  int skip = 8192;
  int bits = 0;
  int rank = 16;
  double alpha = 32;
  double rate = 1e-3;
  int steps = 60;
  int tokens = 512;
  int windows = 8;
  int window = 2048;
  int threads = 2;
  bool recompute = false;
  std::string ids;
  std::string adapter;
};

absl::StatusOr<std::string> ReadDataset(const std::string& name) {
  TERSOR_ASSIGN_OR_RETURN(const std::filesystem::path path, FindDataset(name, DefaultDataPaths()));
  return ReadText(path);
}

// Round to nearest of the blocks' layers: symmetric, groups of 64, scale absmax / (2^(bits - 1) - 0.5).
absl::StatusOr<EncodedTensorPtr> Round(const EncodedTensor& weight, int bits) {
  constexpr int64_t kGroup = 64;
  const int zero = 1 << (bits - 1);
  const std::vector<float> values = weight.Decode();
  std::vector<uint8_t> codes(values.size());
  std::vector<uint16_t> scales;
  for (size_t first = 0; first < values.size(); first += kGroup) {
    float largest = 0;
    for (size_t i = first; i < first + kGroup; ++i) largest = std::max(largest, std::fabs(values[i]));
    scales.push_back(FloatToF16(largest / (static_cast<float>(zero) - 0.5f)));
    const float scale = F16ToFloat(scales.back());
    for (size_t i = first; i < first + kGroup; ++i) {
      const long code = scale > 0 ? std::lround(values[i] / scale) : 0;
      codes[i] = static_cast<uint8_t>(std::clamp<long>(code + zero, 0, 2 * zero - 1));
    }
  }
  return GroupIntTensor::Create({weight.rows(), weight.columns(), bits, kGroup}, codes, scales, {});
}

absl::StatusOr<Model> Rounded(Model model, int bits) {
  for (auto& [name, tensor] : model.parameters) {
    if (tensor->shape().size() < 2 || name.rfind("model.layers.", 0) != 0) continue;
    TERSOR_ASSIGN_OR_RETURN(tensor, Round(*tensor, bits));
  }
  return model;
}

// The dense model's logits of a batch.
class DenseTeacher final : public TeacherLogits {
 public:
  DenseTeacher(const Head& head, std::vector<float> hidden) : head_(head), hidden_(std::move(hidden)) {}
  absl::Status Logits(std::span<const int64_t> rows, std::span<float> logits) override {
    std::vector<float> gathered;
    for (const int64_t row : rows) {
      const float* hidden = hidden_.data() + row * head_.width();
      gathered.insert(gathered.end(), hidden, hidden + head_.width());
    }
    return head_.Logits(gathered, static_cast<int64_t>(rows.size()), logits);
  }

 private:
  const Head& head_;
  std::vector<float> hidden_;
};

class DistillationWithTeacher final : public RowLoss {
 public:
  DistillationWithTeacher(std::unique_ptr<DenseTeacher> teacher, std::span<const int32_t> targets, int64_t vocabulary)
      : teacher_(std::move(teacher)), loss_({}, 1, targets, vocabulary, teacher_.get()) {}
  absl::Status Prepare(std::span<const int64_t> rows) override { return loss_.Prepare(rows); }
  double Run(int64_t i, float scale, std::span<float> logits) const override { return loss_.Run(i, scale, logits); }

 private:
  std::unique_ptr<DenseTeacher> teacher_;
  DistillationLoss loss_;
};

absl::StatusOr<double> Perplexity(const Arguments& arguments, const Model& model, const Tokenizer& tokenizer) {
  const ComputeOptions options{.threads = arguments.threads};
  v1::PerplexityEvaluation evaluation;
  evaluation.set_dataset(arguments.evaluation);
  evaluation.set_window(arguments.window);
  evaluation.set_max_windows(arguments.windows);
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadDataset(arguments.evaluation));
  TERSOR_ASSIGN_OR_RETURN(const Protocol protocol, ResolveProtocol(evaluation, {}, tokenizer.sha256(), text));
  TERSOR_ASSIGN_OR_RETURN(const ScoredWindows windows, CutWindows(protocol, tokenizer, text));
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel scoring, PrepareScoring(model, options));
  TERSOR_ASSIGN_OR_RETURN(const v1::PerplexityResult result,
                          MeasurePerplexity("compressed", scoring, protocol, windows, {}));
  return result.value();
}

absl::StatusOr<TrainedModelOptions> OptionsOf(const Arguments& arguments) {
  TrainedModelOptions options;
  options.compute = ForManyRows(ComputeOptions{.threads = arguments.threads});
  options.recompute = arguments.recompute;
  options.train_weights = arguments.method == "full";
  if (arguments.method == "lora") options.lora = LoraOptions{arguments.rank, arguments.alpha};
  if (!options.train_weights && !options.lora) {
    return absl::InvalidArgumentError(absl::StrCat("--method ", arguments.method, ": there are full and lora"));
  }
  return options;
}

absl::Status Run(const Arguments& arguments) {
  TERSOR_ASSIGN_OR_RETURN(const Model dense, LoadModel(arguments.model));
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(dense.assets.tokenizer_json));
  Model model = dense;
  if (arguments.bits > 0) {
    TERSOR_ASSIGN_OR_RETURN(model, Rounded(dense, arguments.bits));
  }
  nlohmann::json line = {{"method", arguments.method}, {"loss", arguments.loss},   {"bits", arguments.bits},
                         {"rate", arguments.rate},     {"steps", arguments.steps}, {"tokens", arguments.tokens}};
  if (arguments.windows > 0) {
    TERSOR_ASSIGN_OR_RETURN(line["perplexity_before"], Perplexity(arguments, model, *tokenizer));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadDataset(arguments.text));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, tokenizer->Encode(text));
  const int64_t most = (static_cast<int64_t>(ids.size()) - arguments.skip) / arguments.tokens;
  if (most < 1) return absl::InvalidArgumentError("the text is shorter than --skip and one batch");
  if (!arguments.ids.empty()) {
    const std::vector<int32_t> learned(ids.begin() + arguments.skip, ids.end());
    TERSOR_RETURN_IF_ERROR(WriteFileAtomically(arguments.ids, nlohmann::json(learned).dump()));
  }
  TERSOR_ASSIGN_OR_RETURN(const TrainedModelOptions options, OptionsOf(arguments));
  TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<TrainedModel> trained, TrainedModel::Create(model, options));
  Trainer trainer(*trained, {.clip_norm = 1}, {ScheduleKind::kCosine, arguments.rate, arguments.steps, 0});
  TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Head> head, Head::Load(dense, options.compute));
  const auto loss_of = [&](const TrainingBatch& batch) -> absl::StatusOr<std::unique_ptr<RowLoss>> {
    if (arguments.loss == "ce") return std::make_unique<CrossEntropyLoss>(batch.targets);
    TERSOR_ASSIGN_OR_RETURN(std::vector<float> hidden,
                            HiddenStates(dense, batch.ids, batch.offsets, options.compute, nullptr, nullptr));
    return std::make_unique<DistillationWithTeacher>(std::make_unique<DenseTeacher>(*head, std::move(hidden)),
                                                     batch.targets, dense.spec.vocabulary);
  };
  std::vector<double> seconds, losses;
  for (int step = 0; step < arguments.steps; ++step) {
    const auto first = ids.begin() + arguments.skip + step % most * arguments.tokens;
    const std::vector<int32_t> sequence(first, first + arguments.tokens);
    const TrainingBatch batch = NextTokenBatch({&sequence, 1});
    const Stopwatch watch;
    TERSOR_ASSIGN_OR_RETURN(const StepReport report, trainer.Step({&batch, 1}, loss_of));
    seconds.push_back(watch.Seconds());
    losses.push_back(report.loss);
  }
  line["peak_rss_mb"] = static_cast<double>(PeakResidentBytes()) / 1048576;
  line["first_loss"] = losses.front();
  line["last_loss"] = losses.back();
  std::sort(seconds.begin(), seconds.end());
  line["tokens_per_second"] = arguments.tokens / seconds[seconds.size() / 2];
  if (!arguments.adapter.empty() && options.lora) {
    TERSOR_RETURN_IF_ERROR(WritePeftAdapter(arguments.adapter, *options.lora, trained->adapters(), arguments.model));
  }
  if (arguments.windows > 0) {
    TERSOR_ASSIGN_OR_RETURN(const Model merged, trained->Merged());
    TERSOR_ASSIGN_OR_RETURN(line["perplexity_after"], Perplexity(arguments, merged, *tokenizer));
  }
  std::printf("%s\n", line.dump().c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tersor

int main(int argc, char** argv) {
  tersor::Arguments arguments;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--method", arguments.method, "full or lora");
    app.add_option("--loss", arguments.loss, "ce, or kd: forward KL from the dense model");
    app.add_option("--text", arguments.text, "Data set that is learned");
    app.add_option("--skip", arguments.skip, "Tokens at its beginning that are left out");
    app.add_option("--evaluation", arguments.evaluation, "Data set of the evaluation text");
    app.add_option("--bits", arguments.bits, "Round the blocks' layers to so many bits first; 0: not");
    app.add_option("--rank", arguments.rank, "Of adapters");
    app.add_option("--alpha", arguments.alpha, "Of adapters");
    app.add_option("--rate", arguments.rate, "Peak learning rate");
    app.add_option("--steps", arguments.steps, "Steps of training")->check(CLI::PositiveNumber);
    app.add_option("--tokens", arguments.tokens, "Tokens of a step")->check(CLI::PositiveNumber);
    app.add_option("--windows", arguments.windows, "Evaluation windows; 0: no evaluation");
    app.add_option("--window", arguments.window, "Tokens of an evaluation window");
    app.add_option("--ids", arguments.ids, "File for the ids that are learned, as JSON");
    app.add_option("--adapter", arguments.adapter, "Folder for the adapters in PEFT's format");
    app.add_flag("--recompute", arguments.recompute, "Keep the blocks' inputs alone");
  };
  return tersor::RunProgram(argc, argv, "Trains a model on a text and prints speed, memory and perplexity", arguments,
                            add_options, tersor::Run);
}
