#include "server/engine/submit_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/engine/safe_path.h"

namespace tersor {
namespace {

constexpr size_t kMaxRequestId = 128;
constexpr int kMaxLabels = 64;
constexpr size_t kMaxLabelValue = 256;

bool IsPrintable(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

void TakeIfForbidden(const ServerLimits& limits, std::string field, std::string& dataset,
                     std::vector<FieldViolation>& violations) {
  if (dataset.find('/') == std::string::npos) return;
  std::vector<std::filesystem::path> roots = limits.data_paths;
  roots.insert(roots.end(), limits.model_roots.begin(), limits.model_roots.end());
  if (IsBelowAny(dataset, roots)) return;
  violations.push_back(
      {std::move(field), absl::StrCat("\"", dataset, "\" lies outside the server's data folders: use a ",
                                      "data set's name, or start tersord with --data-path")});
  dataset.clear();
}

}  // namespace

std::vector<FieldViolation> CheckSubmitRequest(const v1::SubmitJobRequest& request) {
  std::vector<FieldViolation> violations;
  if (request.request_id().size() > kMaxRequestId || !IsPrintable(request.request_id())) {
    violations.push_back({"request_id", absl::StrCat("use at most ", kMaxRequestId, " printable characters")});
  }
  if (request.labels_size() > kMaxLabels) {
    violations.push_back({"labels", absl::StrCat("at most ", kMaxLabels, " labels")});
  }
  for (const auto& [key, value] : request.labels()) {
    if (!IsSafeName(key)) {
      violations.push_back({absl::StrCat("labels[", key, "]"), "a key is 1 to 128 letters, digits, '.', '_' or '-'"});
    }
    if (value.size() > kMaxLabelValue) {
      violations.push_back({absl::StrCat("labels[", key, "]"), absl::StrCat("at most ", kMaxLabelValue, " bytes")});
    }
  }
  return violations;
}

std::vector<FieldViolation> CheckResources(const v1::Resources& resources, const ServerLimits& limits) {
  std::vector<FieldViolation> violations;
  if (resources.threads() < 0 || resources.threads() > limits.threads) {
    violations.push_back({"resources.threads", absl::StrCat(resources.threads(), " threads: this server may use 1 to ",
                                                            limits.threads, ", 0 for all")});
  }
  if (resources.memory_bytes() < 0 || resources.memory_bytes() > limits.memory_bytes) {
    violations.push_back(
        {"resources.memory_bytes", absl::StrCat(resources.memory_bytes(), " bytes: this server may use ",
                                                limits.memory_bytes, ", 0 for its default")});
  }
  return violations;
}

std::vector<FieldViolation> TakeForbiddenDatasets(const ServerLimits& limits, v1::Recipe& recipe) {
  std::vector<FieldViolation> violations;
  if (recipe.has_calibration()) {
    TakeIfForbidden(limits, "calibration.dataset", *recipe.mutable_calibration()->mutable_dataset(), violations);
  }
  if (!recipe.has_evaluate()) return violations;
  v1::Evaluation& evaluate = *recipe.mutable_evaluate();
  for (int i = 0; i < evaluate.perplexity_size(); ++i) {
    TakeIfForbidden(limits, absl::StrCat("evaluate.perplexity[", i, "].dataset"),
                    *evaluate.mutable_perplexity(i)->mutable_dataset(), violations);
  }
  for (int i = 0; i < evaluate.tasks_size(); ++i) {
    TakeIfForbidden(limits, absl::StrCat("evaluate.tasks[", i, "].name"), *evaluate.mutable_tasks(i)->mutable_name(),
                    violations);
  }
  return violations;
}

}  // namespace tersor
