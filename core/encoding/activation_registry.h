// The one list of activation formats.
#ifndef TERSOR_CORE_ENCODING_ACTIVATION_REGISTRY_H_
#define TERSOR_CORE_ENCODING_ACTIVATION_REGISTRY_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/activation_format.h"

namespace tersor {

// Rebuilds a format from what Fields() and Parameters() gave, checking everything: the bytes come from strangers. An
// unknown name is INVALID_ARGUMENT and lists the known ones.
absl::StatusOr<ActivationFormatPtr> RebuildActivationFormat(absl::string_view name, int64_t width,
                                                            const std::vector<EncodedField>& fields,
                                                            const nlohmann::json& parameters);

std::vector<absl::string_view> ActivationFormatNames();

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_ACTIVATION_REGISTRY_H_
