#include "client/cli/presets.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tersor::client {
namespace {

struct Preset {
  absl::string_view name;
  // What it is for; the first line of the recipe.
  absl::string_view purpose;
  int bits;
  // Group sizes to try, the wanted one first.
  std::vector<int> group_sizes;
  bool corrects;
  std::vector<std::string> gates;
  std::vector<std::string> exports;
};

const std::vector<Preset>& Presets() {
  static const auto& presets = *new std::vector<Preset>{
      {"small",
       "the smallest files that llama.cpp, transformers and vLLM load: 4 bits, large groups",
       4,
       {128, 64, 32},
       true,
       {"perplexity_ratio <= 1.5", "top1_agreement >= 0.6"},
       {"compressed-tensors", "gguf:q4_0"}},
      {"balanced",
       "4 bits with everything that GPTQ offers for quality",
       4,
       {64, 32},
       true,
       {"perplexity_ratio <= 1.3", "top1_agreement >= 0.7"},
       {"compressed-tensors", "gguf:q4_0"}},
      {"safe",
       "8 bits: half the size of a 16-bit model, no loss that a user would notice",
       8,
       {64, 32},
       false,
       {"perplexity_ratio <= 1.02", "top1_agreement >= 0.9"},
       {"compressed-tensors", "gguf:q8_0"}},
  };
  return presets;
}

bool IsTextDataset(absl::string_view name, const std::vector<std::string>& datasets) {
  return std::find(datasets.begin(), datasets.end(), name) != datasets.end();
}

// The wanted set where it is there or nothing is known; else one whose name ends as those that are made for this do (a
// whole text beside its parts would be in both); else the first or last that there is.
std::string ChooseDataset(absl::string_view wanted, const std::vector<std::string>& datasets, bool calibrates) {
  if (datasets.empty() || IsTextDataset(wanted, datasets)) return std::string(wanted);
  const auto fits = [calibrates](absl::string_view name) {
    return calibrates ? absl::EndsWith(name, "_calibration") || absl::EndsWith(name, "_train")
                      : absl::EndsWith(name, "_evaluation") || absl::EndsWith(name, "_test");
  };
  const auto found = std::find_if(datasets.begin(), datasets.end(), fits);
  if (found != datasets.end()) return *found;
  return calibrates ? datasets.front() : datasets.back();
}

void AddStage(const Preset& preset, const std::optional<ModelShape>& shape, v1::Recipe& recipe) {
  constexpr int kHeadGroup = 32;
  v1::QuantizeStage& stage = *recipe.add_stages()->mutable_quantize();
  bool head_fits = !shape.has_value() || shape->width % kHeadGroup == 0;
  if (head_fits) stage.mutable_head()->set_bits(8);
  v1::GptqConfig& gptq = *stage.mutable_gptq();
  gptq.set_bits(preset.bits);
  // 32 divides the widths of all models that are in use; 64 of nearly all.
  std::vector<int64_t> widths = shape.has_value() ? shape->input_widths : std::vector<int64_t>{64};
  gptq.set_group_size(LargestGroupSize(widths, preset.group_sizes));
  gptq.set_symmetric(true);
  // The best 4-bit recipe measured (docs/results.md); the defaults search scales and order columns already.
  if (preset.corrects) gptq.set_dense_correction(0.5);
}

void AddEvaluation(const std::optional<ModelShape>& shape, const std::string& dataset, v1::Recipe& recipe) {
  constexpr int kWindow = 2048, kWindows = 8;
  v1::PerplexityEvaluation& perplexity = *recipe.mutable_evaluate()->add_perplexity();
  perplexity.set_dataset(dataset);
  int64_t context = shape.has_value() && shape->context_length > 0 ? shape->context_length : kWindow;
  perplexity.set_window(static_cast<int>(std::min<int64_t>(kWindow, context)));
  perplexity.set_max_windows(kWindows);
  recipe.mutable_evaluate()->mutable_divergence();
  recipe.mutable_evaluate()->mutable_performance();
}

RecipeComments Comments(const Preset& preset, const std::optional<ModelShape>& shape) {
  std::string group = "Weights that share a scale; must divide the layers' input widths";
  if (shape.has_value()) absl::StrAppend(&group, " (", absl::StrJoin(shape->input_widths, ", "), ")");
  return {
      {"", absl::StrCat("Preset ", preset.name, ": ", preset.purpose, ".\n",
                        "Check it with `tersor validate`, see what it would cost with `tersor run --dry-run`,\n",
                        "do it with `tersor run` or `tersor submit --wait`. docs/recipes.md explains every key.")},
      {"model", "A folder in Hugging Face's layout, a .gguf file, or a name registered with the server."},
      {"calibration",
       "The text whose activations the method sees: a data set's name (`tersor doctor` lists them) or a file."},
      {"stages", "What is done, in this order."},
      {"stages[0].quantize.gptq",
       "rtn is quick and needs no calibration, gptq is better; `tersor methods` lists all, with their options."},
      {"stages[0].quantize.gptq.bits", "2 to 8. Most exports hold 4 or 8; Tersor's own container holds all."},
      {"stages[0].quantize.gptq.group_size", group + "."},
      {"stages[0].quantize.gptq.scale_search", "How a group's scale is found: minmax, mse or hessian."},
      {"stages[0].quantize.gptq.dense_correction",
       "Moves the weights towards the dense model's outputs before they are rounded: 0 (off) to 1."},
      {"stages[0].quantize.head", shape.has_value() && shape->tied
                                      ? "The head and the embedding are one parameter in this model; 8 bits fit both."
                                      : "The head: 8 bits, or 0 to leave it as it is."},
      {"evaluate", "The dense model is measured once under the same protocol and remembered."},
      {"gates", "What the result must hold: exit code 1 where it does not. Judge it on your own text too."},
      {"export",
       "Files beside Tersor's own container. `tersor models inspect MODEL` lists the formats that can hold this "
       "model."},
  };
}

}  // namespace

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const Preset& preset : Presets()) names.emplace_back(preset.name);
  return names;
}

void KeepExportsThatFit(const std::vector<FieldViolation>& faults, v1::Recipe& recipe) {
  std::vector<std::string> kept;
  for (int i = 0; i < recipe.export__size(); ++i) {
    const std::string field = absl::StrCat("export[", i, "]");
    const bool refused = std::any_of(faults.begin(), faults.end(), [&](const auto& f) { return f.field == field; });
    if (!refused) kept.push_back(recipe.export_(i));
  }
  if (kept.empty()) kept.emplace_back("safetensors");
  recipe.mutable_export_()->Assign(kept.begin(), kept.end());
}

int LargestGroupSize(const std::vector<int64_t>& widths, const std::vector<int>& sizes) {
  for (int size : sizes) {
    if (std::all_of(widths.begin(), widths.end(), [&](int64_t width) { return width % size == 0; })) return size;
  }
  return -1;
}

absl::StatusOr<PresetRecipe> MakePreset(absl::string_view name, absl::string_view model,
                                        const std::optional<ModelShape>& shape,
                                        const std::vector<std::string>& datasets) {
  auto preset = std::find_if(Presets().begin(), Presets().end(), [&](const Preset& p) { return p.name == name; });
  if (preset == Presets().end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown preset \"", name, "\"; known: ", absl::StrJoin(PresetNames(), ", ")));
  }
  PresetRecipe made;
  made.recipe.set_model(std::string(model));
  made.recipe.mutable_calibration()->set_dataset(ChooseDataset("wikitext2_tokens_valid", datasets, true));
  AddStage(*preset, shape, made.recipe);
  AddEvaluation(shape, ChooseDataset("wikitext2_tokens_test", datasets, false), made.recipe);
  for (const std::string& gate : preset->gates) made.recipe.add_gates(gate);
  for (const std::string& format : preset->exports) made.recipe.add_export_(format);
  made.comments = Comments(*preset, shape);
  return made;
}

}  // namespace tersor::client
