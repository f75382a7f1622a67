#include <iostream>

#include "client/cli/commands/commands.h"
#include "client/cli/local_text.h"
#include "nlohmann/json.hpp"

namespace tersor::client {
namespace {

class TokenizeCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("tokenize", "Text on standard input to token ids");
    app.Option("--model", model_, "A folder in Hugging Face's layout, a .gguf file or a Tersor container", "MODEL");
    AddOutputOptions(app, common);
    app.Footer(
        "The text is taken byte for byte, its last line end included (printf, not echo). No BOS is added; special\n"
        "tokens in the text are parsed.\n\n"
        "Example:\n  printf 'Hello world' | tersor tokenize --model MODEL --output json");
    return app;
  }

  int Run(const CommonOptions&, Console& console) override {
    if (model_.empty()) return console.Fail(kExitUsage, "which model? Name it by --model");
    absl::StatusOr<std::vector<int32_t>> ids = Tokenize(console);
    if (!ids.ok()) return console.Fail(ids.status());
    if (console.json) {
      nlohmann::ordered_json answer;
      answer["ids"] = *ids;
      console.Out() << answer.dump() << std::endl;
    } else {
      console.Out() << IdsText(*ids) << std::endl;
    }
    return kExitPassed;
  }

 private:
  absl::StatusOr<std::vector<int32_t>> Tokenize(Console& console) const {
    TERSOR_ASSIGN_OR_RETURN(Model model, LoadModel(model_));
    NoteSourceWarnings(model, console);
    TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<const Tokenizer> tokenizer, TokenizerOf(model));
    TERSOR_ASSIGN_OR_RETURN(std::string text, ReadAll(std::cin));
    return tokenizer->Encode(text);
  }

  std::string model_;
};

}  // namespace

std::unique_ptr<Command> NewTokenizeCommand() { return std::make_unique<TokenizeCommand>(); }

}  // namespace tersor::client
