#include "core/evaluate/tasks/text_template.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/utf8.h"

namespace tersor {
namespace {

using nlohmann::json;

std::string FieldNames(const json& item) {
  std::vector<std::string> names;
  for (const auto& [key, value] : item.items()) names.push_back(key);
  return absl::StrJoin(names, ", ");
}

absl::StatusOr<std::string> FieldText(const json& item, const std::string& field) {
  const auto found = item.find(field);
  if (found == item.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the template's {", field, "} is not a field of the item, which has: ", FieldNames(item)));
  }
  if (const auto* text = found->get_ptr<const std::string*>()) return *text;
  if (found->is_number()) return found->dump();
  return absl::InvalidArgumentError(
      absl::StrCat("the template's {", field, "} is neither text nor a number in the item"));
}

bool IsFieldName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace

absl::StatusOr<TextTemplate> TextTemplate::Parse(absl::string_view text) {
  TERSOR_RETURN_IF_ERROR(CheckUtf8(text));
  TextTemplate result;
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{' && text[i] != '}') {
      plain += text[i];
      continue;
    }
    if (text.substr(i, 2) == "{{" || text.substr(i, 2) == "}}") {
      plain += text[i++];
      continue;
    }
    const size_t end = text.find('}', i);
    if (text[i] == '}' || end == absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat("byte ", i, " of the template: a lone '", text.substr(i, 1),
                                                     "'; write {field}, or a brace twice for the brace itself"));
    }
    const absl::string_view inside = text.substr(i + 1, end - i - 1);
    Part part;
    absl::string_view filter = inside.substr(std::min(inside.find('|'), inside.size()));
    part.field = std::string(inside.substr(0, inside.size() - filter.size()));
    part.words = filter == "|words";
    bool known = filter.empty() || part.words;
    if (absl::ConsumePrefix(&filter, "|after:")) {
      part.after = std::string(filter);
      known = !part.after.empty();
    }
    if (!IsFieldName(part.field) || !known) {
      return absl::InvalidArgumentError(
          absl::StrCat("byte ", i, " of the template: {", inside,
                       "} is no field's name; write {field}, {field|words} or {field|after:TEXT}"));
    }
    if (!plain.empty()) result.parts_.push_back({.text = std::exchange(plain, "")});
    result.parts_.push_back(std::move(part));
    i = end;
  }
  if (!plain.empty()) result.parts_.push_back({.text = std::move(plain)});
  return result;
}

absl::StatusOr<std::string> TextTemplate::Render(const json& item) const {
  std::string out;
  for (const Part& part : parts_) {
    if (part.field.empty()) {
      out += part.text;
      continue;
    }
    TERSOR_ASSIGN_OR_RETURN(std::string value, FieldText(item, part.field));
    if (part.words) std::replace(value.begin(), value.end(), '_', ' ');
    if (!part.after.empty()) {
      const size_t at = value.rfind(part.after);
      if (at == std::string::npos) {
        return absl::InvalidArgumentError(absl::StrCat("the template's {", part.field, "|after:", part.after,
                                                       "}: the item's ", part.field, " has no \"", part.after, "\""));
      }
      value.erase(0, at + part.after.size());
    }
    out += value;
  }
  return out;
}

}  // namespace tersor
