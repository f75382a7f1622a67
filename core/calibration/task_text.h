// A task set used as plain text.
#ifndef TERSOR_CORE_CALIBRATION_TASK_TEXT_H_
#define TERSOR_CORE_CALIBRATION_TASK_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// From JSON Lines, each item's context with its right answer, as a task's scorer would put them together: the context,
// a blank and choices[gold] (of `contexts`, where there are as many as choices, the gold one), or the context and the
// target. Items are parted by an empty line. INVALID_ARGUMENT names `where` and the line that is no such item.
absl::StatusOr<std::string> TaskText(absl::string_view json_lines, absl::string_view where);

}  // namespace tersor

#endif  // TERSOR_CORE_CALIBRATION_TASK_TEXT_H_
