// What a kept result depends on beside what was asked: the arithmetic and the program.
#ifndef TERSOR_CORE_PIPELINE_CACHE_KEY_H_
#define TERSOR_CORE_PIPELINE_CACHE_KEY_H_

#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"
#include "core/kernels/precision.h"

namespace tersor {

// "f32" or "bf16".
std::string PrecisionName(Precision precision);
// Those that the matmul library and our own kernels compute by: "avx512_core_amx/AVX3".
std::string InstructionSets();
// SHA-256 of `parts`, precision, instruction sets and program version, in hexadecimal: results are kept to the bit.
std::string CacheKey(std::initializer_list<absl::string_view> parts, Precision precision);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_CACHE_KEY_H_
