// What a file is that is not what its name says.
#ifndef TERSOR_CORE_FORMATS_FILE_KIND_H_
#define TERSOR_CORE_FORMATS_FILE_KIND_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tersor {

// A sentence about bytes that a reader could not use, by how they begin: what they are and what to do ("it is a Git LFS
// pointer: ..."). Looks for what downloads leave behind and for model files of other kinds. Empty where the bytes look
// like nothing that is known. Reads at most the first 4 KiB.
std::string WhatItIs(absl::string_view bytes);

// The same as the end of a message: ": " and the sentence, or nothing.
std::string WhatItIsHint(absl::string_view bytes);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_FILE_KIND_H_
