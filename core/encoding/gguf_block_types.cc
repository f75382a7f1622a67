#include "core/encoding/gguf_block_types.h"

#include <array>

#include "core/encoding/gguf_block_formats.h"
#include "core/encoding/gguf_grid_formats.h"
#include "core/tensor/vectorized.h"

namespace tersor {
namespace {

template <class Format>
struct BlockLoop {
  TERSOR_INLINE void Run(const std::byte* in, int64_t blocks, float* out) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(in);
    for (int64_t i = 0; i < blocks; ++i) Format::Decode(bytes + i * Format::kBytes, out + i * Format::kValues);
  }
};

template <class Format>
constexpr GgufBlockType Row(uint32_t id, absl::string_view name) {
  return {id, name, Format::kValues, Format::kBytes,
          RunVectorized<BlockLoop<Format>, const std::byte*, int64_t, float*>};
}

constexpr std::array kTypes = {
    Row<gguf_formats::Q4_0>(2, "Q4_0"),      Row<gguf_formats::Q4_1>(3, "Q4_1"),
    Row<gguf_formats::Q5_0>(6, "Q5_0"),      Row<gguf_formats::Q5_1>(7, "Q5_1"),
    Row<gguf_formats::Q8_0>(8, "Q8_0"),      Row<gguf_formats::Q2_K>(10, "Q2_K"),
    Row<gguf_formats::Q3_K>(11, "Q3_K"),     Row<gguf_formats::Q4_K>(12, "Q4_K"),
    Row<gguf_formats::Q5_K>(13, "Q5_K"),     Row<gguf_formats::Q6_K>(14, "Q6_K"),
    Row<gguf_formats::Q8_K>(15, "Q8_K"),     Row<gguf_formats::IQ2_XXS>(16, "IQ2_XXS"),
    Row<gguf_formats::IQ2_XS>(17, "IQ2_XS"), Row<gguf_formats::IQ3_XXS>(18, "IQ3_XXS"),
    Row<gguf_formats::IQ1_S>(19, "IQ1_S"),   Row<gguf_formats::IQ4_NL>(20, "IQ4_NL"),
    Row<gguf_formats::IQ3_S>(21, "IQ3_S"),   Row<gguf_formats::IQ2_S>(22, "IQ2_S"),
    Row<gguf_formats::IQ4_XS>(23, "IQ4_XS"), Row<gguf_formats::IQ1_M>(29, "IQ1_M"),
    Row<gguf_formats::TQ1_0>(34, "TQ1_0"),   Row<gguf_formats::TQ2_0>(35, "TQ2_0"),
    Row<gguf_formats::MXFP4>(39, "MXFP4"),   Row<gguf_formats::NVFP4>(40, "NVFP4"),
};

}  // namespace

std::span<const GgufBlockType> GgufBlockTypes() { return kTypes; }

const GgufBlockType* FindGgufBlockType(uint32_t id) {
  for (const GgufBlockType& type : kTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

const GgufBlockType* FindGgufBlockType(absl::string_view name) {
  for (const GgufBlockType& type : kTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

}  // namespace tersor
