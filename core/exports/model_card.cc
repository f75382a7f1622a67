#include "core/exports/model_card.h"

#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/recipe/method_text.h"

namespace tersor {
namespace {

// Names and ids come from strangers' files: one line, nothing that ends a table cell or a YAML scalar.
std::string OneLine(absl::string_view text, size_t most = 200) {
  std::string line;
  for (const char c : text.substr(0, most)) {
    line.push_back(std::iscntrl(static_cast<unsigned char>(c)) || c == '|' || c == '`' ? ' ' : c);
  }
  return line;
}

// A licence id is a plain word: letters, digits, '.', '-', '_'.
bool IsLicenceId(absl::string_view id) {
  for (const char c : id) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-' && c != '_') return false;
  }
  return !id.empty();
}

std::string FrontMatter(const ModelAssets& assets) {
  std::string text = "---\n";
  if (IsLicenceId(assets.licence_id)) absl::StrAppend(&text, "license: ", assets.licence_id, "\n");
  absl::StrAppend(&text, "pipeline_tag: text-generation\ntags:\n- tersor\n- compressed\n---\n\n");
  return text;
}

std::string WhatWasDone(const v1::Report& report, absl::string_view stored) {
  std::string text = "## What was done\n\n";
  int step = 0;
  for (const v1::Stage& stage : report.recipe().stages()) {
    // Long lists of layers that are left out stay readable.
    constexpr size_t kMost = 1000;
    const std::string what = StageText(stage);
    if (!what.empty()) absl::StrAppend(&text, ++step, ". `", OneLine(what, kMost), "`\n");
  }
  if (step > 0) absl::StrAppend(&text, "\nOptions that are not named have their defaults.\n");
  if (step == 0) absl::StrAppend(&text, "The weights were not compressed, only written in another format.\n");
  if (report.recipe().has_kv()) {
    absl::StrAppend(&text, "\nMeasured with keys and values in ", report.recipe().kv().bits(),
                    " bits, which this folder does not ask a runtime for.\n");
  }
  const v1::Calibration& calibration = report.recipe().calibration();
  if (step > 0 && !calibration.dataset().empty()) {
    absl::StrAppend(&text, "\nCalibrated on ", calibration.has_samples() ? calibration.samples() : 16, " x ",
                    calibration.has_tokens() ? calibration.tokens() : 512, " tokens of `",
                    OneLine(calibration.dataset()), "`.\n");
  }
  return absl::StrCat(text, "\n", stored, "\n\n");
}

std::string PerplexityTable(const v1::Report& report) {
  if (report.perplexity().empty()) return "";
  std::string text = "| perplexity | text | protocol |\n|---|---|---|\n";
  for (const v1::PerplexityResult& result : report.perplexity()) {
    if (result.subject() == "baseline_model") continue;
    absl::StrAppend(&text, "| ", OneLine(result.subject()), ": ", absl::StrFormat("%.3f", result.value()), " | ",
                    OneLine(result.dataset()), " | ", OneLine(result.protocol()), " |\n");
  }
  return text + "\n";
}

std::string WhatItCost(const v1::Report& report) {
  std::string text = PerplexityTable(report);
  if (report.has_divergence() && report.divergence().tokens() > 0) {
    const v1::DivergenceResult& divergence = report.divergence();
    absl::StrAppend(
        &text, absl::StrFormat("- KL(dense || compressed): mean %.4f, 99th percentile %.4f nats over %d tokens; the "
                               "most likely token agrees in %.1f%%\n",
                               divergence.kl_mean(), divergence.kl_p99(), divergence.tokens(),
                               100 * divergence.top1_agreement()));
  }
  if (report.has_size() && report.size().artifact_bytes() > 0) {
    absl::StrAppend(&text, absl::StrFormat("- size in Tersor's container: %.1f MB, %.2f times smaller than 16 bits a "
                                           "parameter\n",
                                           report.size().artifact_bytes() / 1e6, report.size().ratio()));
  }
  if (text.empty()) return "";
  return absl::StrCat("## What it cost\n\n", text, "\n");
}

std::string HowToLoad(const std::vector<v1::LoadCommand>& commands) {
  if (commands.empty()) return "";
  std::string text = "## How to load it\n\nIn this folder:\n\n";
  for (const v1::LoadCommand& command : commands) {
    absl::StrAppend(&text, command.program(), ":\n\n```sh\n", command.command(), "\n```\n\n");
  }
  return text;
}

}  // namespace

std::string ModelCard(const Model& model, const v1::Report& report, absl::string_view format, absl::string_view stored,
                      const std::vector<v1::LoadCommand>& commands) {
  const std::string name = OneLine(model.spec.name.empty() ? "A language model" : model.spec.name);
  std::string text = absl::StrCat(FrontMatter(model.assets), "# ", name, ", compressed\n\n");
  absl::StrAppend(&text, "Written by Tersor ", OneLine(report.tersor_version()), " as `", format, "`.");
  if (!report.model().sha256().empty()) {
    absl::StrAppend(&text, " Source: ", OneLine(report.model().name()), ", SHA-256 `", report.model().sha256(), "`.");
  }
  absl::StrAppend(&text, "\n\n", WhatWasDone(report, stored), WhatItCost(report), HowToLoad(commands));
  if (IsLicenceId(model.assets.licence_id)) {
    absl::StrAppend(&text, "## Licence\n\n", model.assets.licence_id, ", as the source model.\n");
  }
  return text;
}

}  // namespace tersor
