// AutoAWQ's checkpoints, version "gemm": qweight, qzeros, scales. https://github.com/casper-hansen/AutoAWQ
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/encoding/indexed_int_tensor.h"
#include "core/formats/json_fields.h"
#include "core/formats/quantized_readers.h"
#include "core/formats/word_runs.h"

namespace tersor {
namespace {

constexpr absl::string_view kCodesSuffix = ".qweight";
constexpr int kBits = 4;
constexpr int64_t kPerWord = 8;
// Nibble i of a word holds column kOrder[i] of the word's eight.
constexpr std::array<int, kPerWord> kOrder = {0, 2, 4, 6, 1, 3, 5, 7};

absl::StatusOr<int64_t> ReadGroupSize(const nlohmann::json& json) {
  const JsonFields fields(json);
  TERSOR_ASSIGN_OR_RETURN(const int64_t old_bits, fields.IntegerOr("w_bit", 1, 32, kBits));
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, fields.IntegerOr("bits", 1, 32, old_bits));
  if (bits != kBits) return absl::UnimplementedError(absl::StrCat(bits, " bits are not read; 4 are"));
  TERSOR_ASSIGN_OR_RETURN(const std::string version, fields.StringOr("version", "gemm"));
  if (absl::AsciiStrToLower(version) != "gemm") {
    return absl::UnimplementedError(absl::StrCat("version \"", version, "\" is not read; gemm is"));
  }
  TERSOR_ASSIGN_OR_RETURN(const bool zero_point, fields.BoolOr("zero_point", true));
  if (!zero_point) return absl::UnimplementedError("\"zero_point\": false is not read");
  TERSOR_ASSIGN_OR_RETURN(const int64_t old_size, fields.IntegerOr("q_group_size", -1, INT32_MAX, 128));
  return fields.IntegerOr("group_size", -1, INT32_MAX, old_size);
}

// Values [runs, count] whose groups of eight are in AWQ's order, into columns' order.
void Reorder(std::vector<uint8_t>& values) {
  for (size_t begin = 0; begin + kPerWord <= values.size(); begin += kPerWord) {
    std::array<uint8_t, kPerWord> word;
    for (int i = 0; i < kPerWord; ++i) word[kOrder[i]] = values[begin + i];
    std::copy(word.begin(), word.end(), values.begin() + begin);
  }
}

// [runs, outputs / 8] words to [outputs, runs] values.
absl::StatusOr<std::vector<uint8_t>> Unpack(absl::string_view what, const Tensor& words, int64_t runs,
                                            int64_t outputs) {
  absl::StatusOr<std::vector<uint8_t>> values = UnpackRows(words, runs, outputs, kBits, WordPacking::kDense);
  if (!values.ok()) return Annotate(values.status(), what);
  Reorder(*values);
  return Transposed(*values, runs, outputs);
}

absl::StatusOr<EncodedTensorPtr> ReadModule(int64_t group_size, const std::string& module, TensorPool& pool) {
  TERSOR_ASSIGN_OR_RETURN(const Tensor codes, pool.Take(absl::StrCat(module, kCodesSuffix)));
  TERSOR_ASSIGN_OR_RETURN(const Tensor zeros, pool.Take(module + ".qzeros"));
  TERSOR_ASSIGN_OR_RETURN(const Tensor scales, pool.Take(module + ".scales"));
  if (codes.shape().size() != 2 || scales.shape().size() != 2 || codes.elements() < 1 || scales.elements() < 1) {
    return absl::InvalidArgumentError(absl::StrCat("qweight ", ShapeString(codes.shape()), " and scales ",
                                                   ShapeString(scales.shape()), " are not both matrices"));
  }
  IntParts parts;
  parts.columns = codes.shape()[0];
  parts.rows = scales.shape()[1];
  const int64_t groups = scales.shape()[0];
  const int64_t size = group_size == -1 ? parts.columns : group_size;
  if (parts.rows % kPerWord != 0 || size < 1 || parts.columns % size != 0 || groups != parts.columns / size) {
    return absl::InvalidArgumentError(absl::StrCat("scales ", ShapeString(scales.shape()), " for ", parts.columns,
                                                   " inputs in groups of ", size, ", and ", parts.rows,
                                                   " outputs of which eight stand in a word"));
  }
  parts.bits = kBits;
  TERSOR_ASSIGN_OR_RETURN(parts.codes, Unpack("qweight", codes, parts.columns, parts.rows));
  TERSOR_ASSIGN_OR_RETURN(parts.zero_points, Unpack("qzeros", zeros, groups, parts.rows));
  TERSOR_ASSIGN_OR_RETURN(parts.scales, Transposed(scales));
  return MakeIntTensor(std::move(parts));
}

}  // namespace

absl::StatusOr<QuantizedWeights> ReadAwq(const nlohmann::json& json, const Safetensors& file) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t group_size, ReadGroupSize(json));
  return ReadModules("awq-gemm", kCodesSuffix, file,
                     [&](const std::string& module, TensorPool& pool) { return ReadModule(group_size, module, pool); });
}

}  // namespace tersor
