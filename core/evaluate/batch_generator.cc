#include "core/evaluate/batch_generator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/model/generate.h"

namespace tersor {
namespace {

// Where the first stop string begins; npos where there is none.
size_t FindStop(const std::string& text, const std::vector<std::string>& stops) {
  size_t first = std::string::npos;
  for (const std::string& stop : stops) first = std::min(first, text.find(stop));
  return first;
}

absl::StatusOr<GeneratedText> GenerateOne(Generator& generator, const Tokenizer& tokenizer,
                                          std::span<const int32_t> prompt, const BatchGenerateOptions& options,
                                          const EvaluateContext& context) {
  GeneratedText result;
  CancellationToken ended;
  absl::Status decoding;
  const auto on_token = [&](int32_t id) {
    result.ids.push_back(id);
    if (std::find(options.end_ids.begin(), options.end_ids.end(), id) != options.end_ids.end()) {
      result.end = GenerationEnd::kEndToken;
    }
    absl::StatusOr<std::string> text = tokenizer.Decode(result.ids, true);
    if (!text.ok()) {
      decoding = text.status();
      return ended.Cancel();
    }
    result.text = *std::move(text);
    if (const size_t stop = FindStop(result.text, options.stops); stop != std::string::npos) {
      result.text.resize(stop);
      result.end = GenerationEnd::kStopString;
      ended.Cancel();
    }
    if (context.cancellation != nullptr && context.cancellation->cancelled()) ended.Cancel();
  };
  const GenerateOptions generate = {
      .max_tokens = options.max_tokens, .stop_ids = options.end_ids, .cancellation = &ended};
  const absl::Status status = generator.Generate(prompt, generate, on_token).status();
  TERSOR_RETURN_IF_ERROR(CheckCancelled(context.cancellation));
  TERSOR_RETURN_IF_ERROR(decoding);
  if (!status.ok() && !ended.cancelled()) return status;
  return result;
}

}  // namespace

absl::StatusOr<std::vector<GeneratedText>> GenerateAll(const Model& model, const Tokenizer& tokenizer,
                                                       std::span<const std::vector<int32_t>> prompts,
                                                       const BatchGenerateOptions& options,
                                                       const EvaluateContext& context) {
  BatchGenerateOptions resolved = options;
  if (resolved.end_ids.empty()) resolved.end_ids.assign(model.spec.eos_ids.begin(), model.spec.eos_ids.end());
  const int64_t room = model.spec.context_length > 0 ? model.spec.context_length - options.max_tokens : INT32_MAX;
  if (options.max_tokens < 1 || room < 1) {
    return absl::InvalidArgumentError(absl::StrCat(options.max_tokens, " tokens leave a context of ",
                                                   model.spec.context_length, " no room for a prompt"));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator, Generator::Create(model, options.compute));
  std::vector<GeneratedText> texts;
  for (size_t i = 0; i < prompts.size(); ++i) {
    if (prompts[i].empty()) return absl::InvalidArgumentError(absl::StrCat("prompt ", i, " has no tokens"));
    const int64_t dropped = std::max<int64_t>(0, static_cast<int64_t>(prompts[i].size()) - room);
    TERSOR_ASSIGN_OR_RETURN(
        GeneratedText text,
        GenerateOne(*generator, tokenizer, std::span<const int32_t>(prompts[i]).subspan(dropped), resolved, context));
    text.dropped = dropped;
    texts.push_back(std::move(text));
    context.Report(static_cast<int64_t>(i) + 1, static_cast<int64_t>(prompts.size()));
    if (options.on_text) TERSOR_RETURN_IF_ERROR(options.on_text(static_cast<int64_t>(i), texts.back()));
  }
  return texts;
}

}  // namespace tersor
