#include "core/model/generate.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/interrupt.h"
#include "client/cli/local_text.h"
#include "core/kernels/cpu_info.h"
#include "core/model/special_tokens.h"
#include "nlohmann/json.hpp"

namespace tersor::client {
namespace {

constexpr char kFooter[] =
    R"(The prompt is standard input, byte for byte (printf, not echo); special tokens in it are parsed, no BOS is added but
by --bos. What is printed is the continuation alone: it stops at an end token and includes it.

Examples:
  printf 'The capital of France is' | tersor generate --model MODEL --max-tokens 32
  printf 'Once upon a time' | tersor generate --model MODEL --temperature 0.8 --seed 7
  tersor generate --model MODEL --prompt-ids 504,3575,282 --ids      ids in, ids out: no tokenizer needed)";

class GenerateCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override;
  int Run(const CommonOptions& common, Console& console) override;

 private:
  absl::Status Check() const;
  absl::StatusOr<std::vector<int32_t>> Prompt(const Model& model, const Tokenizer* tokenizer,
                                              const SpecialTokens& special) const;
  absl::StatusOr<int> Generate(Console& console);
  void Print(std::span<const int32_t> prompt, std::span<const int32_t> ids, const std::string& text,
             Console& console) const;

  std::string model_;
  int max_tokens_ = 128;
  bool ids_ = false;
  bool prompt_is_ids_ = false;
  std::string prompt_ids_;
  double temperature_ = 0;
  uint64_t seed_ = 0;
  bool bos_ = false;
  int threads_ = 0;
  std::string precision_ = "f32";
  std::string activations_ = "float32";
};

Arguments GenerateCommand::Define(const Arguments& parent, CommonOptions& common) {
  Arguments app = parent.Subcommand("generate", "Continue the text on standard input");
  app.Option("--model", model_, "A folder in Hugging Face's layout, a .gguf file or a Tersor container", "MODEL");
  app.Option("--max-tokens", max_tokens_, "At most so many new tokens; default 128", 1, 1 << 20);
  app.Flag("--ids", ids_, "Print token ids instead of text");
  app.OptionalValue("--prompt-ids", prompt_is_ids_, prompt_ids_,
                    "The prompt as token ids: 1,2,3 here, or on standard input", "[IDS]");
  app.Option("--temperature", temperature_, "Sample at this temperature; default 0: the most likely token each time", 0,
             100);
  app.Option("--seed", seed_, "Of the sampling; the same seed gives the same text");
  app.Flag("--bos", bos_, "Put the model's BOS token before the prompt");
  app.Option("--threads", threads_, "Cores to use; default: all. Results do not depend on it", 1, 4096);
  app.Choice("--precision", precision_, "What matrix products are computed in; default f32", {"f32", "bf16"});
  app.Choice(
      "--activations", activations_,
      "What tokens after the prompt multiply weights of 2 to 8 bits by: float32 (default), int8 (rounded in blocks "
      "of 32, faster) or decoded (the weights become floats)",
      {"float32", "int8", "decoded"});
  AddOutputOptions(app, common);
  app.Footer(kFooter);
  return app;
}

absl::Status GenerateCommand::Check() const {
  if (model_.empty()) return absl::InvalidArgumentError("which model? Name it by --model");
  return precision_ == "bf16" ? CheckBF16Support() : absl::OkStatus();
}

absl::StatusOr<std::vector<int32_t>> GenerateCommand::Prompt(const Model& model, const Tokenizer* tokenizer,
                                                             const SpecialTokens& special) const {
  std::string text = prompt_ids_;
  if (text.empty()) {
    TERSOR_ASSIGN_OR_RETURN(text, ReadAll(std::cin));
  }
  std::vector<int32_t> prompt;
  if (prompt_is_ids_) {
    TERSOR_ASSIGN_OR_RETURN(prompt, ParseIds(text, model.spec.vocabulary));
  } else {
    TERSOR_ASSIGN_OR_RETURN(prompt, tokenizer->Encode(text));
  }
  if (bos_ && special.bos.id < 0) return absl::InvalidArgumentError("--bos: this model has no BOS token");
  if (bos_) prompt.insert(prompt.begin(), static_cast<int32_t>(special.bos.id));
  if (prompt.empty()) return absl::InvalidArgumentError("the prompt is empty; give text on standard input, or --bos");
  return prompt;
}

void GenerateCommand::Print(std::span<const int32_t> prompt, std::span<const int32_t> ids, const std::string& text,
                            Console& console) const {
  if (console.json) {
    nlohmann::ordered_json answer;
    answer["prompt_ids"] = prompt;
    answer["ids"] = ids;
    answer["text"] = text;
    console.Out() << answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  } else {
    console.Out() << (ids_ ? IdsText(ids) : text) << std::endl;
  }
}

absl::StatusOr<int> GenerateCommand::Generate(Console& console) {
  TERSOR_RETURN_IF_ERROR(Check());
  TERSOR_ASSIGN_OR_RETURN(Model model, LoadModel(model_));
  NoteSourceWarnings(model, console);
  std::unique_ptr<const Tokenizer> tokenizer;
  // With ids on both sides a model without tokenizer will do.
  bool needs_tokenizer = !prompt_is_ids_ || (!ids_ && !console.json);
  absl::StatusOr<std::unique_ptr<const Tokenizer>> found = TokenizerOf(model);
  if (found.ok()) {
    tokenizer = *std::move(found);
  } else if (needs_tokenizer) {
    return found.status();
  }
  TERSOR_ASSIGN_OR_RETURN(const SpecialTokens special, SpecialTokensOf(model.spec, model.assets, tokenizer.get()));
  TERSOR_ASSIGN_OR_RETURN(std::vector<int32_t> prompt, Prompt(model, tokenizer.get(), special));
  ComputeOptions compute;
  compute.threads = threads_ > 0 ? threads_ : GetCpuInfo().cores;
  compute.precision = precision_ == "bf16" ? Precision::kBF16 : Precision::kF32;
  TERSOR_ASSIGN_OR_RETURN(compute.linears, ParseLinearCompute(activations_));
  TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<Generator> generator, Generator::Create(model, compute));
  InterruptScope interrupt;
  GenerateOptions options;
  options.max_tokens = max_tokens_;
  options.temperature = temperature_;
  options.seed = seed_;
  options.stop_ids = special.ends;
  options.cancellation = interrupt.token();
  absl::StatusOr<std::vector<int32_t>> ids = generator->Generate(prompt, options, nullptr);
  if (interrupt.interrupted()) return interrupt.exit_code();
  TERSOR_RETURN_IF_ERROR(ids.status());
  std::string text;
  if (tokenizer != nullptr) {
    TERSOR_ASSIGN_OR_RETURN(text, tokenizer->Decode(*ids));
  }
  Print(prompt, *ids, text, console);
  return kExitPassed;
}

int GenerateCommand::Run(const CommonOptions&, Console& console) {
  absl::StatusOr<int> code = Generate(console);
  return code.ok() ? *code : console.Fail(code.status());
}

}  // namespace

std::unique_ptr<Command> NewGenerateCommand() { return std::make_unique<GenerateCommand>(); }

}  // namespace tersor::client
