// Whether a generated text is right, by the filters and the comparison that a task's file asks for.
#ifndef TERSOR_CORE_EVALUATE_TASKS_ANSWER_CHECK_H_
#define TERSOR_CORE_EVALUATE_TASKS_ANSWER_CHECK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/evaluate/tasks/metric_registry.h"
#include "core/text/python_regex.h"
#include "tersor/v1/task.pb.h"

namespace tersor {

constexpr absl::string_view kExactMatchMetric = "exact_match";

// Immutable; may be used by several threads.
class AnswerCheck {
 public:
  // INVALID_ARGUMENT where a regular expression is wrong: ParseTask has said so before.
  static absl::StatusOr<AnswerCheck> Make(const v1::GenerationSettings& settings);

  // From `answer.output`: what is extracted, and in `matches` whether each filter's answer is an accepted one; also of
  // "exact_match" where the settings say how it compares. RESOURCE_EXHAUSTED where an expression gives up on the text.
  absl::Status Read(const TaskItem& item, ItemAnswer& answer) const;

 private:
  struct Filter {
    v1::AnswerFilter settings;
    PythonRegex regex;
  };

  explicit AnswerCheck(const v1::GenerationSettings& settings) : settings_(settings) {}
  absl::StatusOr<std::string> Filtered(const Filter& filter, absl::string_view output) const;
  absl::StatusOr<std::string> Comparable(absl::string_view text) const;
  absl::StatusOr<bool> Accepts(const TaskItem& item, absl::string_view found) const;

  v1::GenerationSettings settings_;
  std::vector<Filter> filters_;
  std::vector<PythonRegex> ignored_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_ANSWER_CHECK_H_
