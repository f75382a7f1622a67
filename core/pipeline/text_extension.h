// Going on with further windows of a job's texts where a gate on them is not decided.
#ifndef TERSOR_CORE_PIPELINE_TEXT_EXTENSION_H_
#define TERSOR_CORE_PIPELINE_TEXT_EXTENSION_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/evaluate/gates.h"
#include "core/evaluate/protocol.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/window_pairs.h"
#include "core/pipeline/job_parts.h"

namespace tersor {

// One of the recipe's perplexities, with all windows that its text has.
struct ExtendableText {
  int index = 0;
  // As the recipe limits it.
  Protocol protocol;
  ScoredWindows whole;
};

// The first windows of a text under both models.
struct ScoredPairs {
  // One a block.
  std::vector<double> dense_nlls;
  std::vector<double> nlls;
  // One a scored token; empty but for the first perplexity, where divergence is measured.
  TokenDivergences tokens;
  // Spent on windows that were not known.
  PairSeconds seconds;
};

struct TextExtending {
  std::vector<ExtendableText> texts;
  // Scores the first `windows` windows of `text`; what is known from before is not scored again.
  std::function<absl::StatusOr<ScoredPairs>(const ExtendableText& text, int64_t windows)> score;
  // Told before a text goes on.
  std::function<void(const std::string& message)> tell = [](const std::string&) {};
  const BaselineReports& baselines;
};

// Doubles the windows of the texts that undecided gates rest on until every gate is decided or the texts are used up.
// Replaces the texts' results in `report`, divergence included, and adds the gates on them with their looks. Gates that
// compare with earlier jobs are judged on the windows that these have: those of the first look.
absl::Status ExtendTextsUntilDecided(const v1::Recipe& recipe, const TextExtending& extending, v1::Report& report);

// The same as a stage of the job, where its recipe asks for it and a gate rests on a limited text.
absl::Status ExtendTexts(const JobParts& parts);

// Keeps what the first look gave, so that whoever goes on need not score it again.
absl::Status KeepFirstLook(const JobParts& parts, int index, const ScoredWindows& windows,
                           const std::vector<double>& dense_nlls, const std::vector<double>& nlls,
                           const TokenDivergences& tokens);

// The protocol of the recipe's `index`-th perplexity with as many windows as the report's dense result has in the end.
Protocol ExtendedProtocol(Protocol protocol, int index, const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_TEXT_EXTENSION_H_
