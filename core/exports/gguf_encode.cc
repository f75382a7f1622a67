// Bytes of GGUF tensors.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/row_permuted_tensor.h"
#include "core/exports/gguf_block_encoders.h"
#include "core/exports/gguf_storage.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

constexpr int64_t kBlock = 32;
constexpr int64_t kBytesQ8_0 = 2 + kBlock;
constexpr int64_t kBytesQ4_0 = 2 + kBlock / 2;
constexpr int64_t kBytesQ4_1 = 4 + kBlock / 2;

void PutHalf(std::byte* out, uint16_t bits) { std::memcpy(out, &bits, sizeof(bits)); }

// Element j in the low half of byte j, element j + 16 in the high half.
void PutNibbles(std::byte* out, const std::array<uint8_t, kBlock>& codes) {
  for (int64_t j = 0; j < kBlock / 2; ++j) out[j] = static_cast<std::byte>(codes[j] | codes[j + kBlock / 2] << 4);
}

bool IsInfinite(uint16_t half) { return (half & 0x7fffu) >= 0x7c00u; }

// Writes the blocks of group-int rows.
class CodesEncoder {
 public:
  CodesEncoder(const GgufTensorPlan& plan, const GroupIntTensor& weight)
      : plan_(plan), weight_(weight), codes_(weight.columns()), zero_points_(weight.groups()) {}

  absl::Status Row(int64_t row, std::vector<std::byte>& out) {
    weight_.CodesOfRow(row, codes_.data());
    weight_.ZeroPointsOfRow(row, zero_points_.data());
    const int64_t block_bytes = plan_.storage == GgufStorage::kCodesQ8_0   ? kBytesQ8_0
                                : plan_.storage == GgufStorage::kCodesQ4_0 ? kBytesQ4_0
                                                                           : kBytesQ4_1;
    out.resize(weight_.columns() / kBlock * block_bytes);
    for (int64_t block = 0; block * kBlock < weight_.columns(); ++block) {
      TERSOR_RETURN_IF_ERROR(Block(row, block, out.data() + block * block_bytes));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Block(int64_t row, int64_t block, std::byte* out) const {
    const int64_t group = block * kBlock / weight_.group_size();
    const uint8_t* codes = codes_.data() + block * kBlock;
    const int zero_point = zero_points_[group];
    PutHalf(out, weight_.ScaleBits(row, group));
    std::array<uint8_t, kBlock> nibbles;
    switch (plan_.storage) {
      case GgufStorage::kCodesQ8_0:
        for (int64_t i = 0; i < kBlock; ++i) {
          out[2 + i] = static_cast<std::byte>(static_cast<int8_t>(codes[i] - zero_point));
        }
        return absl::OkStatus();
      case GgufStorage::kCodesQ4_0:
        // Symmetric codes of fewer bits move to the middle of the 16.
        for (int64_t i = 0; i < kBlock; ++i) nibbles[i] = static_cast<uint8_t>(codes[i] - zero_point + 8);
        PutNibbles(out + 2, nibbles);
        return absl::OkStatus();
      default:
        break;
    }
    const uint16_t minimum = FloatToF16(-static_cast<float>(zero_point) * weight_.Scale(row, group));
    if (IsInfinite(minimum)) {
      return absl::OutOfRangeError(
          absl::StrCat("parameter \"", plan_.tensor.parameter.name, "\" has an offset that is too large for Q4_1"));
    }
    PutHalf(out + 2, minimum);
    std::copy(codes, codes + kBlock, nibbles.begin());
    PutNibbles(out + 4, nibbles);
    return absl::OkStatus();
  }

  const GgufTensorPlan& plan_;
  const GroupIntTensor& weight_;
  std::vector<uint8_t> codes_;
  std::vector<uint8_t> zero_points_;
};

// As ggml's quantize_row_q8_0_ref, bit for bit.
absl::Status RoundRowToQ8(absl::string_view name, std::span<const float> row, std::vector<std::byte>& out) {
  out.resize(row.size() / kBlock * kBytesQ8_0);
  std::byte* to = out.data();
  for (size_t begin = 0; begin < row.size(); begin += kBlock, to += kBytesQ8_0) {
    float largest = 0;
    for (int64_t i = 0; i < kBlock; ++i) largest = std::max(largest, std::fabs(row[begin + i]));
    const float scale = largest / 127;
    const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
    const uint16_t bits = FloatToF16(scale);
    if (IsInfinite(bits) || !std::isfinite(largest)) {
      return absl::OutOfRangeError(absl::StrCat("parameter \"", name, "\" has values too large for Q8_0"));
    }
    PutHalf(to, bits);
    for (int64_t i = 0; i < kBlock; ++i) {
      to[2 + i] = static_cast<std::byte>(static_cast<int8_t>(std::round(row[begin + i] * inverse)));
    }
  }
  return absl::OkStatus();
}

// Row `i` of the file comes from row `sources[i]` of the parameter.
std::vector<int64_t> RowSources(const GgufTensorPlan& plan, int64_t rows) {
  if (plan.tensor.parameter.gguf_permuted_heads > 0) {
    return GgufRowSources(rows, plan.tensor.parameter.gguf_permuted_heads);
  }
  std::vector<int64_t> sources(rows);
  for (int64_t row = 0; row < rows; ++row) sources[row] = row;
  return sources;
}

absl::Status WriteFloats(const GgufTensorPlan& plan, const EncodedTensor& values, const ByteSink& sink) {
  const std::vector<float> decoded = values.Decode();
  if (plan.tensor.is_matrix()) return sink(std::as_bytes(std::span<const float>(decoded)));
  const std::vector<int64_t> sources = RowSources(plan, values.columns());
  std::vector<float> ordered(decoded.size());
  for (size_t i = 0; i < ordered.size(); ++i) ordered[i] = decoded[sources[i]] + plan.tensor.parameter.gguf_added;
  return sink(std::as_bytes(std::span<const float>(ordered)));
}

absl::Status WriteCodes(const GgufTensorPlan& plan, const GroupIntTensor& weight, const ByteSink& sink) {
  CodesEncoder encoder(plan, weight);
  std::vector<std::byte> bytes;
  for (const int64_t row : RowSources(plan, weight.rows())) {
    TERSOR_RETURN_IF_ERROR(encoder.Row(row, bytes));
    TERSOR_RETURN_IF_ERROR(sink(bytes));
  }
  return absl::OkStatus();
}

absl::Status WriteBlocks(const GgufTensorPlan& plan, const EncodedTensor& values, const ByteSink& sink) {
  const std::vector<EncodedField> fields = values.Fields();
  const std::span<const std::byte> blocks = fields[0].tensor.bytes();
  const size_t row_bytes = blocks.size() / static_cast<size_t>(values.rows());
  for (const int64_t row : RowSources(plan, values.rows())) {
    TERSOR_RETURN_IF_ERROR(sink(blocks.subspan(static_cast<size_t>(row) * row_bytes, row_bytes)));
  }
  return absl::OkStatus();
}

// One row through the encoder of the plan's blocks. OUT_OF_RANGE for values whose scales F16 cannot hold.
absl::Status RoundRowToBlocks(const GgufTensorPlan& plan, std::span<const float> row, std::vector<std::byte>& out) {
  const GgufBlockEncoder& encoder = *FindGgufBlockEncoder(plan.rounded_type);
  out.resize(row.size() / encoder.values * encoder.bytes);
  for (const float value : row) {
    if (std::isfinite(value) && std::fabs(value) < 60000) continue;
    return absl::OutOfRangeError(
        absl::StrCat("parameter \"", plan.tensor.parameter.name, "\" has values too large for ", plan.rounded_type));
  }
  for (size_t block = 0; block * encoder.values < row.size(); ++block) {
    encoder.encode(row.data() + block * encoder.values, out.data() + block * encoder.bytes);
  }
  return absl::OkStatus();
}

DifferenceTally::Tolerance BlockTolerance(const GgufBlockEncoder& encoder) {
  return [&encoder](int64_t, std::span<const float> row, std::span<float> allowed) {
    for (size_t begin = 0; begin < row.size(); begin += encoder.values) {
      encoder.tolerance(row.data() + begin, allowed.data() + begin);
    }
  };
}

absl::Status WriteRounded(const GgufTensorPlan& plan, const EncodedTensor& values, const ByteSink& sink) {
  const std::string& name = plan.tensor.parameter.name;
  std::vector<float> decoded(static_cast<size_t>(values.columns()));
  std::vector<std::byte> bytes;
  for (const int64_t row : RowSources(plan, values.rows())) {
    values.DecodeRows(row, 1, decoded.data());
    TERSOR_RETURN_IF_ERROR(plan.storage == GgufStorage::kF16             ? RoundRow(DType::kF16, name, decoded, bytes)
                           : plan.storage == GgufStorage::kRoundedBlocks ? RoundRowToBlocks(plan, decoded, bytes)
                                                                         : RoundRowToQ8(name, decoded, bytes));
    TERSOR_RETURN_IF_ERROR(sink(bytes));
  }
  return absl::OkStatus();
}

// Half a step of the block's grid, and what rounding the scale to F16 moves its ends.
void Q8Tolerance(int64_t, std::span<const float> row, std::span<float> allowed) {
  for (size_t begin = 0; begin < row.size(); begin += kBlock) {
    float largest = 0;
    for (int64_t i = 0; i < kBlock; ++i) largest = std::max(largest, std::fabs(row[begin + i]));
    const float limit = largest * (1.0f / 254 + 0x1p-11f + 1e-6f) + 127 * 0x1p-25f;
    std::fill_n(allowed.begin() + begin, kBlock, limit);
  }
}

// The rounding of what is added to a value.
DifferenceTally::Tolerance AddedTolerance(float added) {
  return [added](int64_t, std::span<const float> row, std::span<float> allowed) {
    for (size_t i = 0; i < row.size(); ++i) allowed[i] = (std::fabs(row[i]) + added) * 0x1p-23f;
  };
}

// The rounding of the minimum to F16.
DifferenceTally::Tolerance MinimumTolerance(std::shared_ptr<const GroupIntTensor> weight) {
  return [weight = std::move(weight)](int64_t row, std::span<const float>, std::span<float> allowed) {
    std::vector<uint8_t> zero_points(weight->groups());
    weight->ZeroPointsOfRow(row, zero_points.data());
    for (int64_t group = 0; group < weight->groups(); ++group) {
      const float minimum = std::fabs(zero_points[group] * weight->Scale(row, group));
      const float limit = std::max(minimum * 0x1p-11f, 0x1p-25f) + minimum * 0x1p-22f;
      std::fill_n(allowed.begin() + group * weight->group_size(), weight->group_size(), limit);
    }
  };
}

}  // namespace

absl::Status WriteGgufTensor(const GgufTensorPlan& plan, const EncodedTensorPtr& values, const ByteSink& sink) {
  switch (plan.storage) {
    case GgufStorage::kF32:
      return WriteFloats(plan, *values, sink);
    case GgufStorage::kF16:
    case GgufStorage::kRoundedQ8_0:
    case GgufStorage::kRoundedBlocks:
      return WriteRounded(plan, *values, sink);
    case GgufStorage::kBlocks:
      return WriteBlocks(plan, *values, sink);
    case GgufStorage::kCodesQ8_0:
    case GgufStorage::kCodesQ4_0:
    case GgufStorage::kCodesQ4_1:
      break;
  }
  const auto weight = std::dynamic_pointer_cast<const GroupIntTensor>(values);
  if (weight == nullptr) {
    return absl::InternalError(absl::StrCat("parameter \"", plan.tensor.parameter.name, "\" is not group-int"));
  }
  return WriteCodes(plan, *weight, sink);
}

DifferenceTally::Tolerance GgufTolerance(const GgufTensorPlan& plan, const EncodedTensorPtr& values) {
  switch (plan.storage) {
    case GgufStorage::kF16:
      return F16Tolerance;
    case GgufStorage::kRoundedQ8_0:
      return Q8Tolerance;
    case GgufStorage::kRoundedBlocks:
      return BlockTolerance(*FindGgufBlockEncoder(plan.rounded_type));
    case GgufStorage::kCodesQ4_1:
      if (auto weight = std::dynamic_pointer_cast<const GroupIntTensor>(values); weight != nullptr) {
        return MinimumTolerance(std::move(weight));
      }
      return nullptr;
    case GgufStorage::kF32:
      return plan.tensor.parameter.gguf_added == 0 ? nullptr : AddedTolerance(plan.tensor.parameter.gguf_added);
    case GgufStorage::kBlocks:
    case GgufStorage::kCodesQ8_0:
    case GgufStorage::kCodesQ4_0:
      return nullptr;
  }
  return nullptr;
}

}  // namespace tersor
