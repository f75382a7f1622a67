// "Question: {question}\nAnswer:": text with fields of an item.
#ifndef TERSOR_CORE_EVALUATE_TASKS_TEXT_TEMPLATE_H_
#define TERSOR_CORE_EVALUATE_TASKS_TEXT_TEMPLATE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "nlohmann/json.hpp"

namespace tersor {

// {field} is the item's text or number of that name, {field|words} the same with blanks for underscores,
// {field|after:TEXT} what stands after the last TEXT in it; {{ and }} are braces. Immutable.
class TextTemplate {
 public:
  // INVALID_ARGUMENT says what is wrong with `text` and where in it.
  static absl::StatusOr<TextTemplate> Parse(absl::string_view text);

  // INVALID_ARGUMENT names a field that `item` lacks, with the fields it has, one that is neither text nor number, or
  // one without the TEXT of `after`.
  absl::StatusOr<std::string> Render(const nlohmann::json& item) const;

 private:
  struct Part {
    // Either text, or a field's name.
    std::string text = {};
    std::string field = {};
    bool words = false;
    // Empty where the whole field is meant.
    std::string after = {};
  };
  std::vector<Part> parts_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_TEXT_TEMPLATE_H_
