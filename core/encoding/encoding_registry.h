// The one list of weight encodings.
#ifndef TERSOR_CORE_ENCODING_ENCODING_REGISTRY_H_
#define TERSOR_CORE_ENCODING_ENCODING_REGISTRY_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// Rebuilds a tensor from what Fields() and Parameters() gave, checking every shape, range and length: the bytes come
// from strangers. An unknown encoding is INVALID_ARGUMENT and lists the known ones.
absl::StatusOr<EncodedTensorPtr> DecodeFields(absl::string_view encoding, const Shape& shape,
                                              const std::vector<EncodedField>& fields,
                                              const nlohmann::json& parameters);

std::vector<absl::string_view> EncodingNames();

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_ENCODING_REGISTRY_H_
