#include "tests/core/evaluate/demo_perplexity.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(DemoPerplexityTest, FirstWindowsEqualTransformers) {
  if (const std::string missing = MissingForDemo(); !missing.empty()) GTEST_SKIP() << missing;
  ExpectGoldenWindows("wikitext2_window512.json", 512, 3);
}

// A reference without rounding: transformers in float32 is 4e-5 away from it.
TEST(DemoPerplexityTest, FirstWindowEqualsFloat64) {
  if (const std::string missing = MissingForDemo(); !missing.empty()) GTEST_SKIP() << missing;
  ExpectFloat64Window();
}

TEST(DemoPerplexityTest, FirstChunksEqualLlamaPerplexity) {
  if (const std::string missing = MissingForDemo(); !missing.empty()) GTEST_SKIP() << missing;
  ExpectLlamaPerplexity(2);
}

}  // namespace
}  // namespace tersor
