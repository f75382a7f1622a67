#include "core/pipeline/pipeline.h"

namespace tersor {

absl::string_view ProgramVersion() { return TERSOR_VERSION; }

}  // namespace tersor
