// Checks that encodings share when they are rebuilt from fields.
#ifndef TERSOR_CORE_ENCODING_FIELD_CHECK_H_
#define TERSOR_CORE_ENCODING_FIELD_CHECK_H_

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// INVALID_ARGUMENT says what the field is and what was expected.
absl::Status CheckField(absl::string_view name, const Tensor& tensor, DType dtype, const Shape& shape);

// F16, BF16 or F32, of this shape, every number finite.
absl::Status CheckScaleField(absl::string_view name, const Tensor& tensor, const Shape& shape);

// Puts each field into its place. INVALID_ARGUMENT names a field that is unknown, repeated or empty.
absl::Status TakeFields(const std::vector<EncodedField>& fields,
                        std::initializer_list<std::pair<absl::string_view, Tensor*>> places);

// An integer of `parameters` in low..high.
absl::StatusOr<int64_t> IntegerParameter(const nlohmann::json& parameters, const char* key, int64_t low, int64_t high);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_FIELD_CHECK_H_
