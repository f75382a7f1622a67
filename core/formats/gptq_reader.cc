// AutoGPTQ's and GPTQModel's checkpoints: qweight, qzeros, scales, g_idx.
// https://github.com/ModelCloud/GPTQModel
#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/indexed_int_tensor.h"
#include "core/formats/json_fields.h"
#include "core/formats/quantized_readers.h"
#include "core/formats/word_runs.h"

namespace tersor {
namespace {

constexpr absl::string_view kCodesSuffix = ".qweight";

struct GptqConfig {
  int64_t bits = 4;
  // -1: one group a row.
  int64_t group_size = -1;
  // Zero points are stored less one (checkpoint_format "gptq", v1) or as they are ("gptq_v2").
  bool less_one = true;
  // GPTQModel's "dynamic" gives modules bits and group sizes of their own.
  bool uniform = true;
  // All zero points are the middle of the grid.
  bool symmetric = false;
  // Inputs were put into groups by their importance, which g_idx tells.
  bool act_order = false;
};

// What modules have that their configuration denies, counted.
struct Contradictions {
  int other_zero_points = 0;
  int other_order = 0;
};

// Whether some module has a "sym" of its own.
bool SaysSymmetry(const nlohmann::json& dynamic) {
  return std::any_of(dynamic.begin(), dynamic.end(),
                     [](const nlohmann::json& own) { return own.is_object() && own.contains("sym"); });
}

absl::StatusOr<GptqConfig> ReadConfig(const nlohmann::json& json) {
  const JsonFields fields(json);
  GptqConfig config;
  TERSOR_ASSIGN_OR_RETURN(config.bits, fields.Integer("bits", 2, 8));
  TERSOR_ASSIGN_OR_RETURN(config.group_size, fields.IntegerOr("group_size", -1, INT32_MAX, -1));
  if (config.group_size == 0) return absl::InvalidArgumentError("\"group_size\" is 0");
  TERSOR_ASSIGN_OR_RETURN(const std::string old_format, fields.StringOr("format", "gptq"));
  TERSOR_ASSIGN_OR_RETURN(const std::string format, fields.StringOr("checkpoint_format", old_format));
  if (format != "gptq" && format != "gptq_v2") {
    return absl::UnimplementedError(
        absl::StrCat("checkpoint_format \"", format, "\" is not read; supported: gptq, gptq_v2"));
  }
  config.less_one = format == "gptq";
  TERSOR_ASSIGN_OR_RETURN(const std::string word, fields.StringOr("pack_dtype", "int32"));
  if (word != "int32") return absl::UnimplementedError(absl::StrCat("pack_dtype \"", word, "\"; int32 is supported"));
  const nlohmann::json* dynamic = fields.Find("dynamic");
  config.uniform = dynamic == nullptr || dynamic->empty();
  TERSOR_ASSIGN_OR_RETURN(const bool symmetric, fields.BoolOr("sym", false));
  config.symmetric = symmetric && (config.uniform || !SaysSymmetry(*dynamic));
  TERSOR_ASSIGN_OR_RETURN(config.act_order, fields.BoolOr("desc_act", false));
  if (config.bits == 5 || config.bits == 6 || config.bits == 7) {
    return absl::UnimplementedError(absl::StrCat(config.bits, " bits are not read; supported: 2, 3, 4, 8"));
  }
  return config;
}

// v1 subtracts one from every field of a word at once; adding it at once undoes that, whatever borrowed from whom.
absl::StatusOr<Tensor> PlusOne(const Tensor& words, int bits) {
  if (words.dtype() != DType::kI32 || words.shape().size() != 2) {
    return absl::InvalidArgumentError(absl::StrCat("qzeros are ", DTypeName(words.dtype()), " ",
                                                   ShapeString(words.shape()), ", expected an I32 matrix"));
  }
  uint32_t ones = 0;
  for (int shift = 0; shift < 32; shift += bits) ones |= 1u << shift;
  std::vector<uint32_t> shifted(words.bytes().size() / sizeof(uint32_t));
  std::memcpy(shifted.data(), words.bytes().data(), words.bytes().size());
  for (uint32_t& word : shifted) word += ones;
  return Tensor::Own(DType::kI32, words.shape(), std::move(shifted));
}

// Three-bit zero points lie across words, so each is shifted by itself.
void AddOne(std::vector<uint8_t>& zero_points, int bits) {
  for (uint8_t& zero_point : zero_points) zero_point = static_cast<uint8_t>((zero_point + 1) & ((1 << bits) - 1));
}

absl::StatusOr<std::vector<int32_t>> ReadIndex(const std::optional<Tensor>& index, int64_t columns) {
  if (!index) return std::vector<int32_t>();
  if (index->dtype() != DType::kI32 || index->shape() != Shape{columns}) {
    return absl::InvalidArgumentError(absl::StrCat("g_idx is ", DTypeName(index->dtype()), " ",
                                                   ShapeString(index->shape()), ", expected I32 ",
                                                   ShapeString({columns})));
  }
  std::vector<int32_t> values(static_cast<size_t>(columns));
  std::memcpy(values.data(), index->bytes().data(), index->bytes().size());
  return values;
}

absl::Status CheckAgainstConfig(const GptqConfig& config, int64_t bits, int64_t columns, int64_t groups) {
  const int64_t size = config.group_size == -1 ? columns : config.group_size;
  const int64_t wanted = (columns + size - 1) / size;
  if (!config.uniform || (bits == config.bits && groups == wanted)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the tensors have ", bits, " bits and ", groups,
                                                 " groups, the configuration says ", config.bits, " bits and ", wanted,
                                                 " groups"));
}

// A symmetric module's zero points are all 2^(bits-1). Where all read as one more, or one less, the file stores them as
// the other version does, whatever it calls itself.
void CorrectSymmetric(const GptqConfig& config, int bits, std::vector<uint8_t>& zero_points,
                      Contradictions& contradictions) {
  const int middle = 1 << (bits - 1);
  const int misread = config.less_one ? middle + 1 : middle - 1;
  const auto all = [&](int value) {
    return std::all_of(zero_points.begin(), zero_points.end(), [value](uint8_t zero) { return zero == value; });
  };
  if (!config.symmetric || !all(misread)) return;
  std::fill(zero_points.begin(), zero_points.end(), static_cast<uint8_t>(middle));
  ++contradictions.other_zero_points;
}

absl::Status CheckOrder(const GptqConfig& config, const std::vector<int32_t>& index, int64_t columns, int64_t groups,
                        Contradictions& contradictions) {
  if (config.act_order && index.empty() && groups > 1) {
    return absl::InvalidArgumentError(
        "g_idx is missing, but the configuration says \"desc_act\": which input is in which group is not known");
  }
  if (config.act_order || index.empty()) return absl::OkStatus();
  const int64_t size = (columns + groups - 1) / groups;
  for (int64_t i = 0; i < columns; ++i) {
    if (index[i] == i / size) continue;
    ++contradictions.other_order;
    break;
  }
  return absl::OkStatus();
}

absl::StatusOr<EncodedTensorPtr> ReadModule(const GptqConfig& config, const std::string& module, TensorPool& pool,
                                            Contradictions& contradictions) {
  TERSOR_ASSIGN_OR_RETURN(const Tensor codes, pool.Take(absl::StrCat(module, kCodesSuffix)));
  TERSOR_ASSIGN_OR_RETURN(const Tensor zeros, pool.Take(module + ".qzeros"));
  TERSOR_ASSIGN_OR_RETURN(const Tensor scales, pool.Take(module + ".scales"));
  const std::optional<Tensor> index = pool.TakeIfThere(module + ".g_idx");
  if (codes.shape().size() != 2 || scales.shape().size() != 2 || codes.elements() < 1 || scales.elements() < 1) {
    return absl::InvalidArgumentError(absl::StrCat("qweight ", ShapeString(codes.shape()), " and scales ",
                                                   ShapeString(scales.shape()), " are not both matrices"));
  }
  const int64_t groups = scales.shape()[0];
  IntParts parts;
  parts.rows = scales.shape()[1];
  // g_idx knows the columns whatever the bits.
  parts.columns = index && index->shape().size() == 1 ? index->shape()[0] : codes.shape()[0] * 32 / config.bits;
  if (parts.columns < 1 || codes.shape()[0] > parts.columns || codes.shape()[0] * 32 % parts.columns != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("qweight ", ShapeString(codes.shape()), " does not hold ", parts.columns, " inputs"));
  }
  parts.bits = static_cast<int>(codes.shape()[0] * 32 / parts.columns);
  TERSOR_RETURN_IF_ERROR(CheckAgainstConfig(config, parts.bits, parts.columns, groups));
  TERSOR_ASSIGN_OR_RETURN(parts.codes,
                          UnpackColumns(codes, parts.rows, parts.columns, parts.bits, WordPacking::kDense));
  const bool by_word = config.less_one && 32 % parts.bits == 0;
  TERSOR_ASSIGN_OR_RETURN(const Tensor words, by_word ? PlusOne(zeros, parts.bits) : absl::StatusOr<Tensor>(zeros));
  absl::StatusOr<std::vector<uint8_t>> zero_points =
      UnpackRows(words, groups, parts.rows, parts.bits, WordPacking::kDense);
  if (!zero_points.ok()) return Annotate(zero_points.status(), "qzeros");
  if (config.less_one && !by_word) AddOne(*zero_points, parts.bits);
  CorrectSymmetric(config, parts.bits, *zero_points, contradictions);
  parts.zero_points = Transposed(*zero_points, groups, parts.rows);
  TERSOR_ASSIGN_OR_RETURN(parts.scales, Transposed(scales));
  TERSOR_ASSIGN_OR_RETURN(parts.group_index, ReadIndex(index, parts.columns));
  TERSOR_RETURN_IF_ERROR(CheckOrder(config, parts.group_index, parts.columns, groups, contradictions));
  return MakeIntTensor(std::move(parts));
}

}  // namespace

absl::StatusOr<QuantizedWeights> ReadGptq(const nlohmann::json& json, const Safetensors& file) {
  TERSOR_ASSIGN_OR_RETURN(const GptqConfig config, ReadConfig(json));
  Contradictions contradictions;
  TERSOR_ASSIGN_OR_RETURN(QuantizedWeights weights, ReadModules(config.less_one ? "gptq" : "gptq_v2", kCodesSuffix,
                                                                file, [&](const std::string& module, TensorPool& pool) {
                                                                  return ReadModule(config, module, pool,
                                                                                    contradictions);
                                                                }));
  if (contradictions.other_zero_points > 0) {
    weights.notes.push_back(
        absl::StrCat("the configuration says \"sym\", and the zero points of ", contradictions.other_zero_points,
                     " layers are stored as checkpoint_format \"", config.less_one ? "gptq_v2" : "gptq",
                     "\" does, not as \"", config.less_one ? "gptq" : "gptq_v2",
                     "\": they are read so; other programs read them one off, so correct the file (tersor lint)"));
  }
  if (contradictions.other_order > 0) {
    weights.notes.push_back(absl::StrCat("the g_idx of ", contradictions.other_order,
                                         " layers is in another order than \"desc_act\": false says: here it counts; "
                                         "kernels for false do not look at it"));
  }
  return weights;
}

}  // namespace tersor
