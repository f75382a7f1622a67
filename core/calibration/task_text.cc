#include "core/calibration/task_text.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/formats/json_text.h"

namespace tersor {
namespace {

using nlohmann::json;

constexpr absl::string_view kBetweenItems = "\n\n";

// The string at `key`, or at [index] of the list there; null where there is none.
const std::string* StringAt(const json& item, const char* key) {
  const auto found = item.find(key);
  return found == item.end() ? nullptr : found->get_ptr<const std::string*>();
}

const std::string* StringAt(const json& item, const char* key, uint64_t index) {
  const auto found = item.find(key);
  if (found == item.end() || !found->is_array() || index >= found->size()) return nullptr;
  return (*found)[index].get_ptr<const std::string*>();
}

absl::StatusOr<std::string> ItemText(const json& item) {
  const std::string* context = StringAt(item, "context");
  if (const std::string* target = StringAt(item, "target"); context != nullptr && target != nullptr) {
    return absl::StrCat(*context, *target);
  }
  const auto gold = item.find("gold");
  if (gold == item.end() || !gold->is_number_unsigned()) {
    return absl::InvalidArgumentError("no \"context\" with a \"target\", and no \"gold\" that is a choice's number");
  }
  const uint64_t right = gold->get<uint64_t>();
  if (item.contains("contexts")) context = StringAt(item, "contexts", right);
  const std::string* choice = StringAt(item, "choices", right);
  if (context == nullptr || choice == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("\"gold\" is ", right, ", but there is no such choice or context"));
  }
  return absl::StrCat(*context, " ", *choice);
}

}  // namespace

absl::StatusOr<std::string> TaskText(absl::string_view json_lines, absl::string_view where) {
  std::string text;
  int64_t line_number = 0;
  for (absl::string_view line : absl::StrSplit(json_lines, '\n')) {
    ++line_number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    const std::string place = absl::StrCat(where, ":", line_number);
    TERSOR_ASSIGN_OR_RETURN(const json item, ParseJsonObject(line, place));
    absl::StatusOr<std::string> part = ItemText(item);
    if (!part.ok()) return Annotate(part.status(), place);
    absl::StrAppend(&text, text.empty() ? "" : kBetweenItems, *part);
  }
  return text;
}

}  // namespace tersor
