#include "core/pipeline/overlap_check.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/warning.h"
#include "core/calibration/token_batches.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/text_overlap.h"
#include "core/pipeline/stage_list.h"

namespace tersor {
namespace {

using Sequences = std::vector<std::vector<int32_t>>;

std::vector<std::span<const int32_t>> Views(const Sequences& sequences) { return {sequences.begin(), sequences.end()}; }

absl::StatusOr<Sequences> CalibrationSequences(const JobInputs& inputs) {
  TERSOR_ASSIGN_OR_RETURN(const CalibrationTokens tokens,
                          TakeCalibrationTokens(*inputs.tokenizer, inputs.calibration.text, inputs.calibration_samples,
                                                inputs.calibration_tokens, inputs.calibration_seed));
  Sequences sequences;
  for (size_t i = 0; i + 1 < tokens.offsets.size(); ++i) {
    sequences.emplace_back(tokens.ids.begin() + tokens.offsets[i], tokens.ids.begin() + tokens.offsets[i + 1]);
  }
  return sequences;
}

// From the first window's first token to the last one's last.
absl::StatusOr<Sequences> TextSequences(const JobInputs& inputs, const PerplexityInput& input) {
  TERSOR_ASSIGN_OR_RETURN(const ScoredWindows windows, CutWindows(input.protocol, *inputs.tokenizer, input.data.text));
  const auto begin = windows.stream.begin();
  return Sequences{{begin + windows.windows.front().begin, begin + windows.windows.back().score_end}};
}

absl::StatusOr<Sequences> TaskSequences(const JobInputs& inputs, const LoadedTask& task) {
  Sequences sequences;
  for (const TaskItem& item : task.items) {
    const size_t gold = item.gold.empty() ? 0 : item.gold.front();
    std::string text = item.prompt(gold);
    if (gold < item.continuations.size()) text += item.continuations[gold];
    TERSOR_ASSIGN_OR_RETURN(sequences.emplace_back(), inputs.tokenizer->Encode(text));
  }
  return sequences;
}

void AddWarning(const JobParts& parts, const v1::TextOverlap& overlap) {
  const v1::Warning warning = MakeWarning(
      "CALIBRATION_OVERLAP",
      absl::StrFormat(
          "%.3g %% of its runs of %d tokens are in the calibration text: what is measured on it may flatter "
          "the compressed model; the first one: \"%s\"",
          100 * overlap.share(), overlap.length(), overlap.example()),
      overlap.dataset());
  *parts.report.add_warnings() = warning;
  v1::Event event;
  *event.mutable_warning() = std::move(warning);
  parts.emit(event);
}

void AddOverlap(const JobParts& parts, const std::string& name, const Sequences& calibration,
                const Sequences& evaluated) {
  const TextOverlap overlap = MeasureTextOverlap(Views(calibration), Views(evaluated));
  v1::TextOverlap* message = parts.report.add_overlaps();
  message->set_dataset(name);
  message->set_length(kOverlapTokens);
  message->set_runs(overlap.runs);
  message->set_shared(overlap.shared);
  message->set_share(overlap.share());
  if (overlap.first_sequence >= 0) {
    const std::span<const int32_t> first = evaluated[overlap.first_sequence];
    message->set_example(
        parts.job.inputs.tokenizer->Decode(first.subspan(overlap.first_token, kOverlapTokens)).value_or(""));
  }
  if (overlap.share() >= kHighOverlap) AddWarning(parts, *message);
}

}  // namespace

bool ChecksOverlap(const JobInputs& inputs) {
  return !inputs.calibration.text.empty() && (!inputs.perplexities.empty() || !inputs.tasks.empty());
}

absl::Status CheckOverlap(const JobParts& parts) {
  const JobInputs& inputs = parts.job.inputs;
  if (!ChecksOverlap(inputs)) return absl::OkStatus();
  return parts.run_stage(kOverlapStage, [&](v1::StageReport&) -> absl::Status {
    TERSOR_ASSIGN_OR_RETURN(const Sequences calibration, CalibrationSequences(inputs));
    for (const PerplexityInput& input : inputs.perplexities) {
      TERSOR_ASSIGN_OR_RETURN(const Sequences text, TextSequences(inputs, input));
      AddOverlap(parts, input.data.name, calibration, text);
    }
    for (const LoadedTask& task : inputs.tasks) {
      TERSOR_ASSIGN_OR_RETURN(const Sequences items, TaskSequences(inputs, task));
      AddOverlap(parts, TaskLabel(task), calibration, items);
    }
    return absl::OkStatus();
  });
}

}  // namespace tersor
