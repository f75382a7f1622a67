// 8-bit floating-point numbers: OCP 8-bit Floating Point Specification, E4M3 ("fn": no infinities) and E5M2.
#ifndef TERSOR_CORE_TENSOR_FLOAT8_H_
#define TERSOR_CORE_TENSOR_FLOAT8_H_

#include <array>
#include <cstdint>

namespace tersor {

// Exact. The tables have one entry a code; NaN codes give NaN.
const std::array<float, 256>& F8E4M3Values();
const std::array<float, 256>& F8E5M2Values();

}  // namespace tersor

#endif  // TERSOR_CORE_TENSOR_FLOAT8_H_
