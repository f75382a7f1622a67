// What a plan or a report wants its reader to know.
#ifndef TERSOR_CORE_BASE_WARNING_H_
#define TERSOR_CORE_BASE_WARNING_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// `code` is a stable UPPER_SNAKE_CASE name, `where` a field of the recipe, a layer, a task or a file; empty where it is
// about the whole.
v1::Warning MakeWarning(absl::string_view code, std::string message, std::string where = "");

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_WARNING_H_
