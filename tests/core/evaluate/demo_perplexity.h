// Perplexity of the demo model, for comparing it with what reference tools answered.
#ifndef TERSOR_TESTS_CORE_EVALUATE_DEMO_PERPLEXITY_H_
#define TERSOR_TESTS_CORE_EVALUATE_DEMO_PERPLEXITY_H_

#include <string>

#include "core/base/status.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Empty where the demo model and the shared folder are there, else which is missing.
std::string MissingForDemo();
// `text`: a path inside the shared folder.
absl::StatusOr<v1::PerplexityResult> DemoPerplexity(const std::string& text, v1::PerplexityEvaluation evaluation);
// The windows of a golden file, all or the first `count`, hold within 1e-4 relative.
void ExpectGoldenWindows(const std::string& golden_file, int window, int count);
// The first `count` chunks (at most the recorded ones) have llama-perplexity's running perplexity within 1e-4 relative:
// it prints four decimals, and keeps keys and values in 16 bits.
void ExpectLlamaPerplexity(int count);
// The first window's NLL is the recorded one within 1e-6 relative.
void ExpectFloat64Window();

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_EVALUATE_DEMO_PERPLEXITY_H_
