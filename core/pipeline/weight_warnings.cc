#include "core/pipeline/weight_warnings.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/warning.h"
#include "core/model/finite_weights.h"

namespace tersor {
namespace {

// Empty for sound weights.
std::string LookThrough(const Model& model, int threads) {
  const std::vector<NonFiniteWeight> weights = NonFiniteWeights(model, std::max(threads, 1));
  if (weights.empty()) return "";
  const std::string others =
      weights.size() == 1 ? "" : absl::StrCat(", and ", weights.size() - 1, " more parameters hold such values");
  return absl::StrCat(Describe(weights.front()), others,
                      ": what comes of it is no number either; take weights that are sound (an overflow while training "
                      "or converting to F16 makes such values)");
}

// Another program's answer to the same bytes may be another.
std::filesystem::path Remembered(const Model& model, const PipelineContext& context) {
  if (context.cache_dir.empty() || model.source.sha256.empty()) return {};
  return context.cache_dir / "finite" / absl::StrCat("1-", model.source.sha256);
}

std::string AnswerFor(const Model& model, const PipelineContext& context) {
  constexpr uint64_t kMostBytes = 1 << 16;
  const std::filesystem::path file = Remembered(model, context);
  std::error_code error;
  if (!file.empty() && std::filesystem::exists(file, error)) {
    if (absl::StatusOr<std::string> known = ReadFile(file, kMostBytes); known.ok()) return *std::move(known);
  }
  std::string answer = LookThrough(model, context.threads);
  if (!file.empty()) {
    std::filesystem::create_directories(file.parent_path(), error);
    WriteFileAtomically(file, answer).IgnoreError();
  }
  return answer;
}

}  // namespace

std::vector<v1::Warning> NonFiniteWarnings(const Model& model, const PipelineContext& context) {
  const std::string answer = AnswerFor(model, context);
  if (answer.empty()) return {};
  return {MakeWarning("NON_FINITE_WEIGHTS", answer, model.source.path.string())};
}

}  // namespace tersor
