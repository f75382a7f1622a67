#include "core/encoding/nested_fields.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tersor {

void AppendFields(absl::string_view part, std::vector<EncodedField> fields, std::vector<EncodedField>& all) {
  for (EncodedField& field : fields) all.push_back({absl::StrCat(part, ".", field.name), std::move(field.tensor)});
}

std::vector<EncodedField> FieldsOf(absl::string_view part, const std::vector<EncodedField>& all) {
  const std::string prefix = absl::StrCat(part, ".");
  std::vector<EncodedField> fields;
  for (const EncodedField& field : all) {
    if (absl::StartsWith(field.name, prefix)) fields.push_back({field.name.substr(prefix.size()), field.tensor});
  }
  return fields;
}

absl::Status CheckParts(const std::vector<EncodedField>& fields, const std::vector<std::string>& parts) {
  for (const EncodedField& field : fields) {
    const auto owns = [&](const std::string& part) { return absl::StartsWith(field.name, part + "."); };
    if (std::any_of(parts.begin(), parts.end(), owns)) continue;
    return absl::InvalidArgumentError(absl::StrCat("field \"", field.name, "\" belongs to no part of the tensor"));
  }
  return absl::OkStatus();
}

}  // namespace tersor
