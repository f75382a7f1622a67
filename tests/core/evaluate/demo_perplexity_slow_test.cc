#include "gtest/gtest.h"
#include "tests/core/evaluate/demo_perplexity.h"

namespace tersor {
namespace {

constexpr int kAll = 1 << 20;

TEST(DemoPerplexitySlowTest, AllWindowsOf512EqualTransformers) {
  if (const std::string missing = MissingForDemo(); !missing.empty()) GTEST_SKIP() << missing;
  ExpectGoldenWindows("wikitext2_window512.json", 512, kAll);
}

TEST(DemoPerplexitySlowTest, AllWindowsOf2048EqualTransformers) {
  if (const std::string missing = MissingForDemo(); !missing.empty()) GTEST_SKIP() << missing;
  ExpectGoldenWindows("wikitext2_window2048.json", 2048, kAll);
}

TEST(DemoPerplexitySlowTest, AllChunksEqualLlamaPerplexity) {
  if (const std::string missing = MissingForDemo(); !missing.empty()) GTEST_SKIP() << missing;
  ExpectLlamaPerplexity(kAll);
}

}  // namespace
}  // namespace tersor
