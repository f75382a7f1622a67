#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/presets.h"
#include "client/cli/recipe_input.h"
#include "core/base/atomic_file.h"

namespace tersor::client {
namespace {

class InitCommand final : public Command {
 public:
  explicit InitCommand(Engine* engine) : engine_(engine) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("init", "Write a commented recipe that fits a model");
    app.Positional("model", model_, "A folder in Hugging Face's layout or a .gguf file", "MODEL", true);
    app.Positional("file", file_, "Where to write it; default recipe.yaml, - is standard output", "FILE", false);
    app.Choice("--preset", preset_, "What to start from; default balanced", PresetNames());
    app.Flag("--force", force_, "Replace a file that is there");
    app.Option("--data-path", flags_.data_paths, "Folders of data sets, colon-separated; default: $TERSOR_DATA_PATH",
               "DIR");
    AddQuietOption(app, common);
    app.Footer(
        "small is 4 bits in large groups, balanced 4 bits with all that GPTQ offers, safe 8 bits. Group sizes divide "
        "the\n"
        "model's widths, windows fit its context, data sets are such as are there.\n\n"
        "Example:\n  tersor init model.gguf && tersor run recipe.yaml");
    return app;
  }

  int Run(const CommonOptions&, Console& console) override {
    absl::StatusOr<PresetRecipe> made = PresetForModel(preset_, model_, flags_.DataPaths(), *engine_);
    if (!made.ok()) return console.Fail(made.status());
    if (engine_->Datasets(flags_.DataPaths()).empty()) {
      console.Note(
          "warning: there is no data set here, and the recipe names some: scripts/fetch_text.sh makes one of a Debian "
          "manual, TERSOR_DATA_PATH names folders of them, and a recipe can name a text file");
    }
    std::string yaml = WriteRecipeYaml(made->recipe, made->comments);
    if (file_ == "-") {
      console.Out() << yaml << std::flush;
      return kExitPassed;
    }
    std::error_code error;
    if (!force_ && std::filesystem::exists(file_, error)) {
      return console.Fail(kExitUsage,
                          absl::StrCat(file_, " is there already; name another file, or replace it by --force"));
    }
    if (absl::Status status = WriteFileAtomically(file_, yaml); !status.ok()) return console.Fail(status);
    console.Out() << file_ << std::endl;
    console.Note(absl::StrCat("next: tersor run ", file_));
    return kExitPassed;
  }

 private:
  Engine* engine_;
  std::string model_;
  std::string file_ = "recipe.yaml";
  std::string preset_ = "balanced";
  bool force_ = false;
  RecipeFlags flags_;
};

}  // namespace

std::unique_ptr<Command> NewInitCommand(Engine* engine) { return std::make_unique<InitCommand>(engine); }

}  // namespace tersor::client
