#include "core/pipeline/text_extension.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/report_side.h"
#include "core/evaluate/gate_looks.h"
#include "core/evaluate/gate_metrics.h"
#include "core/evaluate/window_store.h"
#include "core/pipeline/cache_key.h"
#include "core/pipeline/stage_list.h"
#include "core/statistics/sequential.h"

namespace tersor {
namespace {

// How far a text has come.
struct Progression {
  const ExtendableText* text = nullptr;
  std::vector<int64_t> looks;
  size_t look = 0;
  // Of looks[look].
  ScoredPairs scores;

  bool done() const { return look + 1 >= looks.size(); }
  int64_t windows() const { return looks[look]; }
};

// All windows are the same protocol as no limit.
Protocol Limited(Protocol protocol, int64_t windows, int64_t all) {
  protocol.max_windows = windows >= all ? 0 : windows;
  return protocol;
}

ScoredWindows FirstWindows(const ScoredWindows& whole, int64_t count) {
  ScoredWindows first;
  first.windows.assign(whole.windows.begin(), whole.windows.begin() + count);
  first.divisor = first.scored();
  first.available = whole.available;
  return first;
}

// The `index`-th perplexity of `subject`; null where there is none.
v1::PerplexityResult* ResultOf(v1::Report& report, absl::string_view subject, int index) {
  for (v1::PerplexityResult& result : *report.mutable_perplexity()) {
    if (result.subject() == subject && index-- == 0) return &result;
  }
  return nullptr;
}

v1::DivergenceResult DivergenceOf(const Progression& progression, double confidence) {
  const ScoredWindows& whole = progression.text->whole;
  const ScoredWindows first = FirstWindows(whole, progression.windows());
  const Protocol protocol = Limited(progression.text->protocol, progression.windows(), whole.available);
  return SummarizeDivergence(protocol, progression.scores.tokens, first.block_tokens(), confidence);
}

void Put(const Progression& progression, double confidence, v1::Report& report) {
  const ExtendableText& text = *progression.text;
  const ScoredWindows first = FirstWindows(text.whole, progression.windows());
  const Protocol protocol = Limited(text.protocol, progression.windows(), text.whole.available);
  const ScoredPairs& scores = progression.scores;
  for (const absl::string_view subject : {kDenseSubject, kCompressedSubject}) {
    v1::PerplexityResult* result = ResultOf(report, subject, text.index);
    if (result == nullptr) continue;
    const bool dense = subject == kDenseSubject;
    v1::PerplexityResult extended =
        MakePerplexityResult(subject, protocol, first, dense ? scores.dense_nlls : scores.nlls, 0);
    extended.set_seconds(result->seconds() + (dense ? scores.seconds.dense : scores.seconds.compressed));
    extended.set_tokens_per_second(result->tokens_per_second());
    extended.set_looks(static_cast<int>(progression.look) + 1);
    *result = std::move(extended);
  }
  if (!scores.tokens.kl.empty()) *report.mutable_divergence() = DivergenceOf(progression, confidence);
}

absl::Status GoOn(const TextExtending& extending, double confidence, Progression& progression, v1::Report& report) {
  const ExtendableText& text = *progression.text;
  const int64_t before = progression.windows();
  ++progression.look;
  extending.tell(absl::StrCat(text.protocol.dataset, ": a gate is not decided on ", before, " of ",
                              text.whole.available, " windows; going on to ", progression.windows()));
  TERSOR_ASSIGN_OR_RETURN(progression.scores, extending.score(text, progression.windows()));
  Put(progression, confidence, report);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Progression>> Begin(const TextExtending& extending, v1::Report& report) {
  std::vector<Progression> progressions;
  for (const ExtendableText& text : extending.texts) {
    const v1::PerplexityResult* result = ResultOf(report, kCompressedSubject, text.index);
    if (result == nullptr) return absl::InternalError("a text that may go on has no result");
    Progression& progression = progressions.emplace_back();
    progression.text = &text;
    progression.looks = DoublingLooks(result->windows_size(), text.whole.available);
    TERSOR_ASSIGN_OR_RETURN(progression.scores, extending.score(text, progression.windows()));
  }
  return progressions;
}

// ---- the job's stage

// Scores a text's windows under the job's two models, those that were not scored before.
class TextScorer {
 public:
  explicit TextScorer(const JobParts& parts) : parts_(parts) {}

  absl::StatusOr<ScoredPairs> Score(const ExtendableText& text, int64_t count) {
    const bool divergence = text.index == 0 && MeasuresDivergence(parts_.recipe);
    TERSOR_ASSIGN_OR_RETURN(const WindowStore store, OpenStore(parts_, text.protocol));
    std::vector<PairedWindow> pairs(static_cast<size_t>(count));
    std::vector<size_t> missing;
    const size_t before = std::exchange(asked_[text.index], pairs.size());
    int64_t reused = 0;
    for (size_t i = 0; i < pairs.size(); ++i) {
      std::optional<PairedWindow> known = store.Read(i, text.whole.windows[i], divergence);
      if (known.has_value()) {
        pairs[i] = *std::move(known);
        reused += before > 0 && i >= before ? 1 : 0;
      } else {
        missing.push_back(i);
      }
    }
    if (reused > 0) {
      parts_.Tell(absl::StrCat(text.protocol.dataset, ": ", reused, " windows answered from the cache"));
    }
    ScoredPairs scores;
    TERSOR_ASSIGN_OR_RETURN(scores.seconds, ScoreMissing(text, missing, divergence, store, pairs));
    for (const PairedWindow& pair : pairs) Append(pair, scores);
    return scores;
  }

  // What earlier runs and jobs have left, under a hash of all that it depends on.
  static absl::StatusOr<WindowStore> OpenStore(const JobParts& parts, Protocol protocol) {
    protocol.max_windows = 0;
    TERSOR_ASSIGN_OR_RETURN(const std::string compressed, parts.compressed_content());
    return WindowStore::Open(parts.cache() / "windows",
                             CacheKey({"tersor windows 1", protocol.Hash(), parts.job.inputs.model_sha256, compressed},
                                      parts.job.compute.precision));
  }

 private:
  absl::StatusOr<PairSeconds> ScoreMissing(const ExtendableText& text, const std::vector<size_t>& missing,
                                           bool divergence, const WindowStore& store,
                                           std::vector<PairedWindow>& pairs) {
    if (missing.empty()) return PairSeconds();
    if (!dense_.has_value()) {
      TERSOR_ASSIGN_OR_RETURN(dense_, PrepareScoring(parts_.job.inputs.model, parts_.job.compute));
      TERSOR_ASSIGN_OR_RETURN(compressed_, PrepareScoring(parts_.compressed, parts_.job.compute));
    }
    ScoredWindows windows;
    windows.stream = text.whole.stream;
    for (const size_t i : missing) windows.windows.push_back(text.whole.windows[i]);
    return ScorePairs(*dense_, *compressed_, divergence, windows, parts_.context("tokens"),
                      [&](size_t first, std::vector<PairedWindow> scored) -> absl::Status {
                        for (size_t i = 0; i < scored.size(); ++i) {
                          const size_t window = missing[first + i];
                          TERSOR_RETURN_IF_ERROR(store.Write(window, scored[i]));
                          pairs[window] = std::move(scored[i]);
                        }
                        return absl::OkStatus();
                      });
  }

  static void Append(const PairedWindow& pair, ScoredPairs& scores) {
    const auto append = [](const auto& from, auto& to) { to.insert(to.end(), from.begin(), from.end()); };
    append(pair.dense_nlls, scores.dense_nlls);
    append(pair.nlls, scores.nlls);
    append(pair.tokens.kl, scores.tokens.kl);
    append(pair.tokens.jensen_shannon, scores.tokens.jensen_shannon);
    append(pair.tokens.same_top1, scores.tokens.same_top1);
  }

  const JobParts& parts_;
  // Windows asked for so far, by text.
  std::map<int, size_t> asked_;
  std::optional<ScoringModel> dense_;
  std::optional<ScoringModel> compressed_;
};

absl::StatusOr<std::vector<ExtendableText>> ReadTexts(const JobParts& parts) {
  std::vector<ExtendableText> texts;
  const JobInputs& inputs = parts.job.inputs;
  for (const int index : ExtendableTexts(parts.recipe)) {
    const PerplexityInput& input = inputs.perplexities[static_cast<size_t>(index)];
    const Protocol all = Limited(input.protocol, 1, 1);
    TERSOR_ASSIGN_OR_RETURN(ScoredWindows whole, CutWindows(all, *inputs.tokenizer, input.data.text));
    texts.push_back({index, input.protocol, std::move(whole)});
  }
  return texts;
}

}  // namespace

absl::Status ExtendTextsUntilDecided(const v1::Recipe& recipe, const TextExtending& extending, v1::Report& report) {
  const double confidence = GateConfidence(recipe);
  AddSingleLooks(recipe, GateData::kTexts, extending.baselines, report);
  TERSOR_ASSIGN_OR_RETURN(std::vector<Progression> progressions, Begin(extending, report));
  std::map<int, int64_t> available;
  const Progression* diverging = nullptr;
  for (const Progression& progression : progressions) {
    available[progression.text->index] = progression.text->whole.available;
    if (progression.text->index == 0) diverging = &progression;
  }
  GateLooks looks(recipe, available, [&](double asked) { return DivergenceOf(*diverging, asked); });
  looks.Look(report);
  for (std::vector<int> undecided = looks.UndecidedTexts(); !undecided.empty(); undecided = looks.UndecidedTexts()) {
    for (Progression& progression : progressions) {
      if (progression.done() ||
          std::find(undecided.begin(), undecided.end(), progression.text->index) == undecided.end()) {
        continue;
      }
      TERSOR_RETURN_IF_ERROR(GoOn(extending, confidence, progression, report));
    }
    looks.Look(report);
  }
  for (v1::GateResult& result : looks.Results()) *report.add_gates() = std::move(result);
  return absl::OkStatus();
}

absl::Status ExtendTexts(const JobParts& parts) {
  if (!Compresses(parts.recipe) || ExtendableTexts(parts.recipe).empty()) return absl::OkStatus();
  return parts.run_stage(kTextExtensionStage, [&](v1::StageReport&) -> absl::Status {
    TextScorer scorer(parts);
    TextExtending extending = {
        .texts = {},
        .score = [&](const ExtendableText& text, int64_t windows) { return scorer.Score(text, windows); },
        .tell = [&](const std::string& message) { parts.Tell(message); },
        .baselines = parts.options.baselines};
    TERSOR_ASSIGN_OR_RETURN(extending.texts, ReadTexts(parts));
    return ExtendTextsUntilDecided(parts.recipe, extending, parts.report);
  });
}

absl::Status KeepFirstLook(const JobParts& parts, int index, const ScoredWindows& windows,
                           const std::vector<double>& dense_nlls, const std::vector<double>& nlls,
                           const TokenDivergences& tokens) {
  const std::vector<int> extendable = ExtendableTexts(parts.recipe);
  if (std::find(extendable.begin(), extendable.end(), index) == extendable.end()) return absl::OkStatus();
  const Protocol& protocol = parts.job.inputs.perplexities[static_cast<size_t>(index)].protocol;
  TERSOR_ASSIGN_OR_RETURN(const WindowStore store, TextScorer::OpenStore(parts, protocol));
  const std::vector<PairedWindow> pairs = CutPairs(windows.windows, dense_nlls, nlls, tokens);
  for (size_t i = 0; i < pairs.size(); ++i) TERSOR_RETURN_IF_ERROR(store.Write(i, pairs[i]));
  return absl::OkStatus();
}

Protocol ExtendedProtocol(Protocol protocol, int index, const v1::Report& report) {
  for (const v1::PerplexityResult& result : report.perplexity()) {
    if (result.subject() != kDenseSubject || index-- != 0 || result.looks() == 0) continue;
    return Limited(std::move(protocol), result.windows_size(), result.available_windows());
  }
  return protocol;
}

}  // namespace tersor
