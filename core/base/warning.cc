#include "core/base/warning.h"

#include "core/base/utf8.h"

namespace tersor {

v1::Warning MakeWarning(absl::string_view code, std::string message, std::string where) {
  v1::Warning warning;
  warning.set_code(std::string(code));
  // Both may speak of a path, whose bytes are any; protobuf's strings are UTF-8.
  warning.set_message(ReplaceInvalidUtf8(message));
  warning.set_where(ReplaceInvalidUtf8(where));
  return warning;
}

}  // namespace tersor
