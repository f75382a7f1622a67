#include "tests/core/evaluate/demo_perplexity.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>

#include "core/base/atomic_file.h"
#include "core/evaluate/perplexity.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {

std::string MissingForDemo() {
  if (!testing::DemoModelPath().has_value()) return "the demo model is missing: scripts/fetch_model.sh";
  if (!testing::SharedPath().has_value()) return testing::kNoSharedFolder;
  return "";
}

absl::StatusOr<v1::PerplexityResult> DemoPerplexity(const std::string& text, v1::PerplexityEvaluation evaluation) {
  TERSOR_ASSIGN_OR_RETURN(const Model model, LoadModel(*testing::DemoModelPath()));
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(model.assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const std::string contents, ReadFile(*testing::SharedPath() / text));
  evaluation.set_dataset(text);
  const ProtocolModel asked = {
      .bos_id = model.spec.bos_id, .add_bos = model.assets.add_bos, .context_length = model.spec.context_length};
  TERSOR_ASSIGN_OR_RETURN(const Protocol protocol, ResolveProtocol(evaluation, asked, tokenizer->sha256(), contents));
  TERSOR_ASSIGN_OR_RETURN(const ScoredWindows windows, CutWindows(protocol, *tokenizer, contents));
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel scoring, PrepareScoring(model, {.threads = 2}));
  return MeasurePerplexity("dense", scoring, protocol, windows, {});
}

void ExpectGoldenWindows(const std::string& golden_file, int window, int count) {
  std::ifstream file(*testing::SharedPath() / "golden/smollm2-135m" / golden_file);
  const nlohmann::json golden = nlohmann::json::parse(file)["windows"];
  v1::PerplexityEvaluation evaluation;
  evaluation.set_window(window);
  evaluation.set_max_windows(std::min(count, static_cast<int>(golden.size())));
  const auto result = DemoPerplexity("data/text/wikitext2_tokens_test.txt", evaluation);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->windows_size(), evaluation.max_windows());
  double largest = 0;
  for (int i = 0; i < result->windows_size(); ++i) {
    const double expected = golden[i]["nll_sum"];
    EXPECT_EQ(result->windows(i).start(), golden[i]["start"]);
    EXPECT_EQ(result->windows(i).n(), golden[i]["n"]);
    EXPECT_NEAR(result->windows(i).nll_sum(), expected, 1e-4 * expected) << "window " << i;
    largest = std::max(largest, std::abs(result->windows(i).nll_sum() / expected - 1));
  }
  ::testing::Test::RecordProperty("largest_relative_difference", std::to_string(largest));
  std::cout << "largest relative difference of a window: " << largest << ", " << result->tokens_per_second()
            << " tokens/s\n";
}

void ExpectLlamaPerplexity(int count) {
  std::ifstream file(testing::FixturesPath() / "llama_perplexity_smollm2.json");
  const nlohmann::json recorded = nlohmann::json::parse(file);
  const std::vector<double> running = recorded["running_perplexity"];
  v1::PerplexityEvaluation evaluation;
  evaluation.set_convention("llama.cpp");
  evaluation.set_window(recorded["window"]);
  evaluation.set_max_windows(std::min(count, static_cast<int>(running.size())));
  const auto result = DemoPerplexity(recorded["text"], evaluation);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->windows_size(), evaluation.max_windows());
  double nll = 0;
  int64_t scored = 0;
  for (int i = 0; i < result->windows_size(); ++i) {
    nll += result->windows(i).nll_sum();
    scored += result->windows(i).n();
    EXPECT_NEAR(std::exp(nll / static_cast<double>(scored)), running[i], 1e-4 * running[i]) << "chunk " << i;
  }
  EXPECT_NEAR(result->value(), running[result->windows_size() - 1], 1e-4 * result->value());
}

void ExpectFloat64Window() {
  std::ifstream file(testing::FixturesPath() / "float64_nll_smollm2.json");
  const nlohmann::json recorded = nlohmann::json::parse(file);
  v1::PerplexityEvaluation evaluation;
  evaluation.set_window(recorded["window"]);
  evaluation.set_max_windows(1);
  const auto result = DemoPerplexity(recorded["text"], evaluation);
  ASSERT_TRUE(result.ok()) << result.status();
  const double expected = recorded["nll_sum"];
  EXPECT_NEAR(result->windows(0).nll_sum(), expected, 1e-6 * expected);
}

}  // namespace tersor
