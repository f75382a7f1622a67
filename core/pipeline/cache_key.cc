#include "core/pipeline/cache_key.h"

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/kernels/cpu_info.h"
#include "core/pipeline/pipeline.h"

namespace tersor {

std::string PrecisionName(Precision precision) { return precision == Precision::kBF16 ? "bf16" : "f32"; }

std::string InstructionSets() {
  const CpuInfo& cpu = GetCpuInfo();
  return absl::StrCat(cpu.onednn_isa, "/", cpu.kernel_isa);
}

std::string CacheKey(std::initializer_list<absl::string_view> parts, Precision precision) {
  Sha256 digest;
  for (const absl::string_view part : parts) digest.UpdateField(part);
  for (const std::string& part : {PrecisionName(precision), InstructionSets(), std::string(ProgramVersion())}) {
    digest.UpdateField(part);
  }
  return digest.HexDigest();
}

}  // namespace tersor
