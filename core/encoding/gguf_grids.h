// The grids of GGUF's IQ types: which groups of 4 or 8 values a code may stand for. Fixed by the format:
// https://github.com/ggml-org/llama.cpp, ggml/src/ggml-common.h.
#ifndef TERSOR_CORE_ENCODING_GGUF_GRIDS_H_
#define TERSOR_CORE_ENCODING_GGUF_GRIDS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace tersor {

template <size_t Rows, size_t Values>
using GgufGrid = std::array<std::array<int8_t, Values>, Rows>;

// Magnitudes.
extern const GgufGrid<256, 8> kGgufGrid2XXS;
extern const GgufGrid<512, 8> kGgufGrid2XS;
extern const GgufGrid<1024, 8> kGgufGrid2S;
extern const GgufGrid<256, 4> kGgufGrid3XXS;
extern const GgufGrid<512, 4> kGgufGrid3S;
// -1, 0 and 1.
extern const GgufGrid<2048, 8> kGgufGrid1;

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_GGUF_GRIDS_H_
