// What the kernels run on.
#ifndef TERSOR_CORE_KERNELS_CPU_INFO_H_
#define TERSOR_CORE_KERNELS_CPU_INFO_H_

#include <string>

#include "core/base/status.h"
#include "core/kernels/precision.h"

namespace tersor {

struct CpuInfo {
  // As /proc/cpuinfo names it; empty where unknown.
  std::string model;
  // Cores this process may run on.
  int cores = 1;
  // Instruction set of Tersor's own kernels: "AVX2", "AVX3" (Highway's name of AVX-512) or "SCALAR".
  std::string kernel_isa;
  // Instruction set oneDNN dispatches to: "avx2", "avx512_core_bf16", "avx512_core_amx", ...
  std::string onednn_isa;
  std::string onednn_version;
  bool bf16 = false;
  bool amx = false;
};

// ONEDNN_MAX_CPU_ISA limits oneDNN and, where it names an AVX2 set or less, Tersor's own kernels too.
const CpuInfo& GetCpuInfo();

// OK, or UNIMPLEMENTED with the reason why Precision::kBF16 cannot be computed here.
absl::Status CheckBF16Support();

// What computes `precision` fastest here where weights meet hundreds of rows: kThreeTerms for kF32 with AMX.
Precision ForManyRows(Precision precision);
// The same for statistics of inputs, whose last bits nobody reads: kTwoTerms for kAutomatic with AMX.
Precision ForCalibration(Precision precision);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_CPU_INFO_H_
