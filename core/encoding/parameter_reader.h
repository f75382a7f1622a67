// Reading an encoding's JSON parameters, which come from strangers.
#ifndef TERSOR_CORE_ENCODING_PARAMETER_READER_H_
#define TERSOR_CORE_ENCODING_PARAMETER_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "nlohmann/json_fwd.hpp"

namespace tersor {

// Each is INVALID_ARGUMENT, naming the key, where the value is missing or of another type.
absl::StatusOr<int64_t> IntegerParameter(const nlohmann::json& parameters, absl::string_view key);
absl::StatusOr<double> NumberParameter(const nlohmann::json& parameters, absl::string_view key);
absl::StatusOr<bool> BooleanParameter(const nlohmann::json& parameters, absl::string_view key);
absl::StatusOr<std::string> StringParameter(const nlohmann::json& parameters, absl::string_view key);
absl::StatusOr<const nlohmann::json*> ObjectParameter(const nlohmann::json& parameters, absl::string_view key);

// The field of that name, type and shape; INVALID_ARGUMENT says what is there instead.
absl::StatusOr<Tensor> TakeField(const std::vector<EncodedField>& fields, absl::string_view name, DType dtype,
                                 const Shape& shape);
// INVALID_ARGUMENT names a field that is none of `known`, or repeated.
absl::Status CheckFieldNames(const std::vector<EncodedField>& fields, const std::vector<absl::string_view>& known);

// INVALID_ARGUMENT, naming the field, where an F16 or F32 tensor holds a number that is not finite.
absl::Status CheckFinite(absl::string_view name, const Tensor& values);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_PARAMETER_READER_H_
