#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands/commands.h"
#include "client/cli/local_engine.h"
#include "client/cli/model_fit.h"
#include "core/report/escape.h"
#include "core/report/number_text.h"
#include "core/report/text_table.h"
#include "core/tensor/dtype.h"
#include "nlohmann/json.hpp"

namespace tersor::client {
namespace {

// "dense F32", "gguf-block Q4_1", "group-int 4 bits, groups of 64".
std::string EncodingText(const EncodedTensor& tensor) {
  nlohmann::json parameters = tensor.Parameters();
  std::string text(tensor.encoding());
  std::vector<EncodedField> fields = tensor.Fields();
  if (tensor.encoding() == "dense" && !fields.empty())
    return absl::StrCat(text, " ", DTypeName(fields[0].tensor.dtype()));
  if (parameters.contains("type") && parameters["type"].is_string()) {
    return absl::StrCat(text, " ", parameters["type"].get<std::string>());
  }
  if (parameters.contains("bits") && parameters.contains("group_size")) {
    return absl::StrCat(text, " ", parameters["bits"].dump(), " bits, groups of ", parameters["group_size"].dump());
  }
  return text;
}

struct EncodingTotal {
  int64_t tensors = 0;
  int64_t parameters = 0;
  int64_t bytes = 0;
};

std::map<std::string, EncodingTotal> EncodingTotals(const Model& model) {
  std::map<std::string, EncodingTotal> totals;
  for (const auto& [name, tensor] : model.parameters) {
    EncodingTotal& total = totals[EncodingText(*tensor)];
    ++total.tensors;
    total.parameters += tensor->elements();
    total.bytes += static_cast<int64_t>(tensor->byte_size());
  }
  return totals;
}

bool HasTokenizer(const Model& model) { return !model.assets.tokenizer_json.empty(); }

class ModelsInspectCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("inspect", "Is a model supported, what is inside, which stages can it take");
    app.Positional("path", path_, "A folder in Hugging Face's layout, a .gguf file or a Tersor container", "PATH",
                   true);
    app.Flag("--tensors", tensors_, "List every parameter");
    AddOutputOptions(app, common);
    app.Footer("Exit code 0: supported; 2: not, with the reason.");
    return app;
  }

  int Run(const CommonOptions&, Console& console) override {
    absl::StatusOr<Model> model = LoadModel(path_);
    if (!model.ok())
      return console.Fail(ExitCodeOf(model.status()), absl::StrCat("not supported: ", model.status().message()));
    console.json ? PrintJson(*model, console) : PrintText(*model, console);
    return kExitPassed;
  }

 private:
  void PrintText(const Model& model, Console& console) const;
  void PrintJson(const Model& model, Console& console) const;

  std::string path_;
  bool tensors_ = false;
};

std::vector<std::string> WarningTexts(const Model& model) {
  std::vector<std::string> texts;
  for (const SourceWarning& warning : model.source.warnings) texts.push_back(warning.text);
  return texts;
}

std::string LayerText(const ModelSpec& spec) {
  if (spec.layers.empty()) return "none";
  const LayerSpec& layer = spec.layers.front();
  const AttentionSpec& attention = layer.attention;
  std::string text = absl::StrFormat("%d, %d heads (%d of keys and values) of %d, inner width %d", spec.layers.size(),
                                     attention.heads, attention.kv_heads, attention.head_size, layer.inner_width);
  if (attention.sliding_window > 0) absl::StrAppend(&text, ", window of ", attention.sliding_window);
  if (attention.qkv_bias) absl::StrAppend(&text, ", biases");
  if (attention.qk_norm) absl::StrAppend(&text, ", query and key norms");
  return text;
}

void ModelsInspectCommand::PrintText(const Model& model, Console& console) const {
  const ModelSpec& spec = model.spec;
  ModelShape shape = ShapeOf(model);
  ModelFit fit = FitOf(model);
  auto line = [&](absl::string_view name, const std::string& value) {
    console.Out() << absl::StrFormat("  %-13s %s\n", name, EscapeTerminal(value));
  };
  console.Out() << EscapeTerminal(spec.name) << ": supported\n";
  line("format", absl::StrCat(model.source.format, ", ", BytesText(model.source.weight_bytes)));
  line("architecture", spec.architecture);
  line("parameters", CountText(model.ParameterCount()));
  line("layers", LayerText(spec));
  line("width", absl::StrCat(spec.width, ", vocabulary ", spec.vocabulary, ", context ", spec.context_length));
  line("head", spec.tied ? "one parameter with the embedding" : "a parameter of its own");
  line("tokenizer", HasTokenizer(model) ? "yes"
                    : model.assets.tokenizer_fault.empty()
                        ? "none: what needs text in a recipe needs a tokenizer.json beside the weights"
                        : absl::StrCat("cannot be used: ", model.assets.tokenizer_fault));
  for (const SourceWarning& warning : model.source.warnings) line("warning", warning.text);
  line("group sizes", absl::StrCat(absl::StrJoin(fit.group_sizes, ", "), ", -1 divide the input widths ",
                                   absl::StrJoin(shape.input_widths, ", ")));
  line("stages", absl::StrJoin(fit.stages, ", "));
  line("exports", absl::StrJoin(fit.exports, ", "));
  ReportSection section{.columns = {{"encoding"}, {"tensors", true}, {"parameters", true}, {"size", true}}};
  for (const auto& [encoding, total] : EncodingTotals(model)) {
    section.rows.push_back(
        {encoding, absl::StrCat(total.tensors), CountText(total.parameters), BytesText(total.bytes)});
  }
  console.Out() << TextTable(section, console.width);
  if (tensors_) {
    ReportSection all{.columns = {{"parameter"}, {"shape"}, {"encoding"}, {"size", true}}};
    for (const auto& [name, tensor] : model.parameters) {
      all.rows.push_back({name, absl::StrJoin(tensor->shape(), " x "), EncodingText(*tensor),
                          BytesText(static_cast<int64_t>(tensor->byte_size()))});
    }
    console.Out() << TextTable(all, console.width);
  }
  console.Out() << std::flush;
}

void ModelsInspectCommand::PrintJson(const Model& model, Console& console) const {
  const ModelSpec& spec = model.spec;
  ModelFit fit = FitOf(model);
  nlohmann::ordered_json json = {{"supported", true},
                                 {"name", spec.name},
                                 {"format", model.source.format},
                                 {"architecture", spec.architecture},
                                 {"parameters", model.ParameterCount()},
                                 {"source_bytes", model.source.weight_bytes},
                                 {"layers", spec.layers.size()},
                                 {"width", spec.width},
                                 {"vocabulary", spec.vocabulary},
                                 {"context_length", spec.context_length},
                                 {"tied", spec.tied},
                                 {"tokenizer", HasTokenizer(model)},
                                 {"tokenizer_fault", model.assets.tokenizer_fault},
                                 {"warnings", WarningTexts(model)},
                                 {"input_widths", ShapeOf(model).input_widths},
                                 {"group_sizes", fit.group_sizes},
                                 {"stages", fit.stages},
                                 {"exports", fit.exports}};
  for (const auto& [encoding, total] : EncodingTotals(model)) {
    json["encodings"].push_back(
        {{"encoding", encoding}, {"tensors", total.tensors}, {"parameters", total.parameters}, {"bytes", total.bytes}});
  }
  if (tensors_) {
    for (const auto& [name, tensor] : model.parameters) {
      json["tensors"].push_back({{"name", name},
                                 {"shape", tensor->shape()},
                                 {"encoding", EncodingText(*tensor)},
                                 {"bytes", tensor->byte_size()}});
    }
  }
  console.Out() << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

}  // namespace

std::unique_ptr<Command> NewModelsInspectCommand() { return std::make_unique<ModelsInspectCommand>(); }

}  // namespace tersor::client
