// Texts of licences that a model file names without carrying them.
#ifndef TERSOR_CORE_MODEL_KNOWN_LICENCES_H_
#define TERSOR_CORE_MODEL_KNOWN_LICENCES_H_

#include "absl/strings/string_view.h"

namespace tersor {

// Of an SPDX-like id ("apache-2.0"); empty for one that is not known.
absl::string_view KnownLicenceText(absl::string_view id);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_KNOWN_LICENCES_H_
