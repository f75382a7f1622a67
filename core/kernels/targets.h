// Which instruction sets Highway compiles for. Include before <hwy/...>. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_TARGETS_H_
#define TERSOR_CORE_KERNELS_TARGETS_H_

// The sets below AVX2, and the one above AVX-512's base, would add compile time and no speed here.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)

namespace tersor {

// Applies ONEDNN_MAX_CPU_ISA to Highway's choice, once. Every dispatched kernel calls it first.
void LimitTargets();

// Whether the instruction set that Highway chooses may be used together with its VNNI (AVX-512's or AVX2's own);
// limited by ONEDNN_MAX_CPU_ISA too.
bool HasVnni();

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_TARGETS_H_
