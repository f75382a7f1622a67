#include "core/kernels/targets.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "dnnl.hpp"
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

bool HasVnni() {
  static const bool vnni = [] {
    LimitTargets();
    // oneDNN's instruction sets are bit sets: what AVX-512 with VNNI has beyond AVX-512's base, and AVX2 alike.
    constexpr unsigned kAvx512 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
    constexpr unsigned kAvx512Vnni = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_vnni);
    constexpr unsigned kAvx2Vnni =
        static_cast<unsigned>(dnnl::cpu_isa::avx2_vnni) & ~static_cast<unsigned>(dnnl::cpu_isa::avx2);
    const unsigned isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    if ((isa & kAvx512) == kAvx512) return (isa & kAvx512Vnni) == kAvx512Vnni;
    return (isa & kAvx2Vnni) == kAvx2Vnni;
  }();
  return vnni;
}

}  // namespace tersor
