#include "core/kernels/targets.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "hwy/targets.h"

namespace tersor {

void LimitTargets() {
  static const bool limited = [] {
    const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
    if (limit == nullptr) return false;
    const std::string name = absl::AsciiStrToUpper(limit);
    if (absl::StartsWith(name, "AVX512") || absl::StartsWith(name, "AVX10") || name == "ALL" || name == "DEFAULT") {
      return false;
    }
    int64_t above = HWY_AVX3 | HWY_AVX3_DL;
    if (!absl::StartsWith(name, "AVX2")) above |= HWY_AVX2;
    hwy::DisableTargets(above);
    return true;
  }();
  static_cast<void>(limited);
}

}  // namespace tersor
