// Tensors made of tensors: fields of a part stand under its name and a dot.
#ifndef TERSOR_CORE_ENCODING_NESTED_FIELDS_H_
#define TERSOR_CORE_ENCODING_NESTED_FIELDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// Appends `fields` to `all` as "PART.FIELD".
void AppendFields(absl::string_view part, std::vector<EncodedField> fields, std::vector<EncodedField>& all);

// The fields of `part`, under their own names.
std::vector<EncodedField> FieldsOf(absl::string_view part, const std::vector<EncodedField>& all);

// INVALID_ARGUMENT names a field that belongs to none of `parts`.
absl::Status CheckParts(const std::vector<EncodedField>& fields, const std::vector<std::string>& parts);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_NESTED_FIELDS_H_
