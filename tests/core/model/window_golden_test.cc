// Log-likelihoods of whole windows as transformers computed them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/model/head.h"
#include "core/model/hidden_states.h"
#include "tests/core/model/demo_golden.h"

namespace tersor {
namespace {

using nlohmann::json;

ComputeOptions TwoThreads() {
  ComputeOptions options;
  options.threads = 2;
  return options;
}

class WindowGoldenTest : public DemoGoldenTest {
 protected:
  void ExpectWindows(const std::string& name) {
    const json golden = ReadJsonFile(golden_ / name);
    std::ifstream file(data_ / "text" / "wikitext2_tokens_test.txt");
    const std::vector<int32_t> ids = Encode(std::string(std::istreambuf_iterator<char>(file), {}));
    std::vector<int32_t> inputs, targets;
    std::vector<int64_t> offsets = {0};
    for (const json& window : golden["windows"]) {
      const int64_t start = window["start"].get<int64_t>(), length = window["len"].get<int64_t>();
      ASSERT_LE(start + length, static_cast<int64_t>(ids.size()));
      inputs.insert(inputs.end(), ids.begin() + start, ids.begin() + start + length - 1);
      targets.insert(targets.end(), ids.begin() + start + 1, ids.begin() + start + length);
      offsets.push_back(static_cast<int64_t>(inputs.size()));
    }
    const auto hidden = HiddenStates(model_, inputs, offsets, TwoThreads(), nullptr, nullptr);
    ASSERT_TRUE(hidden.ok()) << hidden.status();
    const auto head = Head::Load(model_, TwoThreads());
    ASSERT_TRUE(head.ok()) << head.status();
    std::vector<double> likelihoods(targets.size());
    ASSERT_TRUE((*head)->LogLikelihoods(*hidden, targets, likelihoods, {}).ok());
    for (size_t w = 0; w + 1 < offsets.size(); ++w) {
      double sum = 0;
      for (int64_t i = offsets[w]; i < offsets[w + 1]; ++i) sum -= likelihoods[i];
      const double expected = golden["windows"][w]["nll_sum"].get<double>();
      EXPECT_NEAR(sum, expected, 1e-4 * expected) << name << ", window " << w;
      worst_ = std::max(worst_, std::fabs(sum / expected - 1));
    }
    RecordProperty("worst_relative_difference", std::to_string(worst_));
  }

  double worst_ = 0;
};

TEST_F(WindowGoldenTest, Windows512) { ExpectWindows("wikitext2_window512.json"); }
TEST_F(WindowGoldenTest, Windows2048) { ExpectWindows("wikitext2_window2048.json"); }

}  // namespace
}  // namespace tersor
