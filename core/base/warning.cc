#include "core/base/warning.h"

#include <utility>

namespace tersor {

v1::Warning MakeWarning(absl::string_view code, std::string message, std::string where) {
  v1::Warning warning;
  warning.set_code(std::string(code));
  warning.set_message(std::move(message));
  warning.set_where(std::move(where));
  return warning;
}

}  // namespace tersor
