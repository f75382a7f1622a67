#include "core/kernels/cpu_info.h"

#include <sched.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/kernels/vector_ops.h"
#include "dnnl.hpp"

namespace tersor {
namespace {

// oneDNN's instruction sets are bit sets; this bit stands for AVX-512's bf16 instructions.
constexpr unsigned kBF16Bit = 0x80;

std::string IsaName(dnnl::cpu_isa isa) {
  switch (isa) {
    case dnnl::cpu_isa::isa_default:
      return "default";
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx2_vnni_2:
      return "avx2_vnni_2";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_fp16:
      return "avx512_core_fp16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    case dnnl::cpu_isa::avx512_core_amx_fp16:
      return "avx512_core_amx_fp16";
    default:
      return absl::StrCat("0x", absl::Hex(static_cast<unsigned>(isa)));
  }
}

std::string CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (absl::StartsWith(line, "model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

CpuInfo Inspect() {
  CpuInfo info;
  info.model = CpuModel();
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) info.cores = CPU_COUNT(&allowed);
  info.kernel_isa = KernelIsa();
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  info.onednn_isa = IsaName(isa);
  const dnnl_version_t* version = dnnl_version();
  info.onednn_version = absl::StrCat(version->major, ".", version->minor, ".", version->patch);
  info.bf16 = (static_cast<unsigned>(isa) & kBF16Bit) != 0;
  const auto amx = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_amx);
  info.amx = (static_cast<unsigned>(isa) & amx) == amx;
  return info;
}

}  // namespace

const CpuInfo& GetCpuInfo() {
  static const CpuInfo* const info = new CpuInfo(Inspect());
  return *info;
}

Precision ForManyRows(Precision precision) {
  const bool floats = precision == Precision::kF32 || precision == Precision::kAutomatic;
  return floats && GetCpuInfo().amx ? Precision::kThreeTerms : precision;
}

Precision ForCalibration(Precision precision) {
  return precision == Precision::kAutomatic && GetCpuInfo().amx ? Precision::kTwoTerms : ForManyRows(precision);
}

absl::Status CheckBF16Support() {
  if (GetCpuInfo().bf16) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("precision bf16 needs AVX-512 with BF16 or AMX; oneDNN dispatches to ",
                                               GetCpuInfo().onednn_isa, " on this machine; use f32"));
}

}  // namespace tersor
