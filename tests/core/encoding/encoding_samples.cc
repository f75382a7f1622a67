#include "tests/core/encoding/encoding_samples.h"

#include <algorithm>
#include <random>

#include "core/encoding/bilevel_int_tensor.h"
#include "core/encoding/bit_plane_tensor.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/columns_tensor.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/low_rank_tensor.h"
#include "core/encoding/masked_int_tensor.h"
#include "core/encoding/masked_tensor.h"
#include "core/encoding/sparse_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "core/tensor/float16.h"

namespace tersor::testing {
namespace {

constexpr int64_t kRows = 6, kColumns = 32;

std::vector<float> Normal(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

EncodedTensorPtr Codebook(const CodeBook& book, int64_t group_size, ScaleForm form) {
  const int64_t groups = kColumns / (group_size == -1 ? kColumns : group_size);
  std::vector<float> scales = Normal(kRows * groups, 1);
  for (float& scale : scales) scale = 0.1f + std::abs(scale);
  std::vector<uint8_t> codes;
  for (const float value : Normal(kRows * kColumns, 2)) codes.push_back(book.Nearest(value));
  return *CodebookTensor::Create({kRows, kColumns, &book, group_size}, codes,
                                 *GroupScales::Encode(form, kRows, groups, scales));
}

EncodedTensorPtr BitPlanes() {
  std::vector<uint8_t> codes;
  for (const float value : Normal(kRows * kColumns, 3)) codes.push_back(static_cast<uint8_t>(4 + 2 * value) & 7);
  std::vector<uint16_t> scales;
  for (const float value : Normal(kRows * 2 * 3, 4)) scales.push_back(FloatToF16(value));
  return *BitPlaneTensor::Create({kRows, kColumns, 3, 16}, codes, scales);
}

EncodedTensorPtr BilevelInts() {
  const BilevelIntLayout layout = {.rows = kRows, .columns = kColumns, .group_size = 8, .tile_rows = 4};
  BilevelIntParts parts(layout);
  std::mt19937 random(8);
  for (uint8_t& code : parts.codes) code = random() % 8;
  for (uint8_t& code : parts.scale_codes) code = random() % 8;
  for (uint8_t& code : parts.zero_codes) code = random() % 8;
  for (uint8_t& zero : parts.zero_grids) zero = random() % 3;
  for (uint16_t& scale : parts.scale_grids) scale = FloatToF16(0.01f * static_cast<float>(1 + random() % 9));
  return *BilevelIntTensor::Create(layout, parts);
}

// Keeps `pattern` where it is fixed; else about half of each row, and nothing of one.
SparseMask MaskOf(MaskPattern pattern) {
  std::mt19937 random(9);
  std::vector<uint8_t> kept(kRows * kColumns);
  for (int64_t i = 0; i < kRows * kColumns; ++i) {
    kept[i] = pattern.fixed() ? i % pattern.of < pattern.kept : i / kColumns != 2 && random() % 2 == 0;
  }
  for (int64_t i = 0; pattern.fixed() && i < kRows * kColumns; i += pattern.of) {
    std::shuffle(kept.begin() + i, kept.begin() + i + pattern.of, random);
  }
  return *SparseMask::Create(kRows, kColumns, kept, pattern);
}

EncodedTensorPtr MaskedInts(const SparseMask& mask, int bits, bool symmetric) {
  std::mt19937 random(10);
  std::vector<uint8_t> codes(kRows * kColumns), zeros(kRows * 4), marks(kColumns);
  for (uint8_t& zero : zeros) zero = static_cast<uint8_t>(symmetric ? 1 << (bits - 1) : random() % (1 << bits));
  for (int64_t row = 0; row < kRows; ++row) {
    mask.KeptOfRow(row, marks.data());
    for (int64_t i = 0; i < kColumns; ++i) {
      codes[row * kColumns + i] = marks[i] != 0 ? random() % (1 << bits) : zeros[row * 4 + i / 8];
    }
  }
  std::vector<uint16_t> scales;
  for (const float value : Normal(kRows * 4, 11)) scales.push_back(FloatToF16(value));
  if (symmetric) zeros.clear();
  return *MaskedIntTensor::Create(mask, **GroupIntTensor::Create({kRows, kColumns, bits, 8}, codes, scales, zeros));
}

}  // namespace

std::vector<EncodingSample> EncodingSamples() {
  std::vector<EncodingSample> samples;
  samples.push_back({"nf4", Codebook(Nf4Book(), 8, ScaleForm::kF16)});
  samples.push_back({"nf4_double", Codebook(Nf4Book(), 8, ScaleForm::kDouble)});
  samples.push_back({"fp8", Codebook(E4m3Book(), -1, ScaleForm::kF32)});
  samples.push_back({"e5m2_shift", Codebook(E5m2Book(), 16, ScaleForm::kRowShift)});
  samples.push_back({"mxfp4", Codebook(E2m1Book(), 32, ScaleForm::kE8m0)});
  samples.push_back({"nvfp4", Codebook(E2m1Book(), 16, ScaleForm::kE4m3Over)});
  samples.push_back({"nvfp4 with a factor", Codebook(E2m1Book(), 16, ScaleForm::kE4m3)});
  samples.push_back({"bit_planes", BitPlanes()});
  const EncodedTensorPtr columns = *ColumnsTensor::Create({kRows, kColumns}, {3, 31}, Normal(kRows * 2, 5));
  const EncodedTensorPtr sparse = *SparseTensor::Create({kRows, kColumns}, {{0, 1, 2.5f}, {0, 31, -1}, {5, 0, 7}});
  const EncodedTensorPtr low_rank =
      *LowRankTensor::Create(*DenseTensor::FromFloats({kRows, 2}, Normal(kRows * 2, 6)),
                             *DenseTensor::FromFloats({2, kColumns}, Normal(kColumns * 2, 7)));
  samples.push_back({"bilevel_ints", BilevelInts()});
  samples.push_back({"columns", columns});
  samples.push_back({"sparse", sparse});
  samples.push_back({"sparse_without_entries", *SparseTensor::Create({kRows, kColumns}, {})});
  samples.push_back({"low_rank", low_rank});
  const EncodedTensorPtr sum = *SumTensor::Create({samples[0].tensor, columns, sparse, low_rank});
  samples.push_back({"sum", sum});
  const std::vector<float> weights = Normal(kRows * kColumns, 12);
  samples.push_back({"masked", *MaskedTensor::Create(MaskOf({}), weights, DType::kF32)});
  samples.push_back({"masked_2_4", *MaskedTensor::Create(MaskOf({2, 4}), weights, DType::kBF16)});
  samples.push_back({"masked_8_16", *MaskedTensor::Create(MaskOf({8, 16}), weights, DType::kF16)});
  samples.push_back({"masked_int", MaskedInts(MaskOf({}), 4, true)});
  samples.push_back({"masked_int_4_8", MaskedInts(MaskOf({4, 8}), 3, false)});
  samples.push_back({"quantized_input", *InputFormatTensor::Create(sum, *IntTokenFormat::Create(kColumns, {}))});
  return samples;
}

}  // namespace tersor::testing
