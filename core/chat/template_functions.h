// What templates can do to values: Python's operators and string methods, Jinja's filters and tests.
#ifndef TERSOR_CORE_CHAT_TEMPLATE_FUNCTIONS_H_
#define TERSOR_CORE_CHAT_TEMPLATE_FUNCTIONS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/chat/template_node.h"

namespace tersor {

struct TemplateArguments {
  std::vector<TemplateValue> positional;
  std::vector<std::pair<std::string, TemplateValue>> named;

  // The value called `name`, or the one at `position`; undefined where there is neither.
  TemplateValue Get(size_t position, absl::string_view name) const;
};

// As Python's bool() and Jinja's output of a value.
bool IsTrue(const TemplateValue& value);
std::string PrintedText(const TemplateValue& value);

// INVALID_ARGUMENT says what cannot be done with which values.
absl::StatusOr<TemplateValue> ApplyOperator(const std::string& name, const TemplateValue& left,
                                            const TemplateValue& right);
absl::StatusOr<TemplateValue> CallMethod(const TemplateValue& object, const std::string& method,
                                         const TemplateArguments& arguments);
absl::StatusOr<TemplateValue> ApplyFilter(const std::string& name, const TemplateValue& value,
                                          const TemplateArguments& arguments);
absl::StatusOr<bool> ApplyTest(const std::string& name, const TemplateValue& value, const TemplateArguments& arguments);

// value[index], value.name and value[start:stop:step]; undefined where there is no such element.
TemplateValue ElementOf(const TemplateValue& value, const TemplateValue& index);
absl::StatusOr<TemplateValue> SliceOf(const TemplateValue& value, const TemplateValue& start, const TemplateValue& stop,
                                      const TemplateValue& step);

}  // namespace tersor

#endif  // TERSOR_CORE_CHAT_TEMPLATE_FUNCTIONS_H_
