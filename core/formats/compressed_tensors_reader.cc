// compressed-tensors' weights: packed integers, integers of a byte, and (compressed_tensors_floats.h) floats.
// https://github.com/vllm-project/compressed-tensors
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/encoding/float_token_format.h"
#include "core/encoding/indexed_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/formats/compressed_tensors_floats.h"
#include "core/formats/compressed_tensors_frozen.h"
#include "core/formats/compressed_tensors_scheme.h"
#include "core/formats/json_fields.h"
#include "core/formats/quantized_readers.h"
#include "core/formats/word_runs.h"

namespace tersor {
namespace {

constexpr absl::string_view kPackedSuffix = ".weight_packed";
constexpr absl::string_view kScaleSuffix = ".weight_scale";
constexpr int64_t kMaxSide = int64_t{1} << 32;

// Older and newer releases differ in how 3, 5, 6 and 7 bits fill words; the number of words tells which it was.
absl::StatusOr<WordPacking> PackingOf(int64_t words, int64_t count, int bits) {
  const int64_t dense = WordsOf(count, bits, WordPacking::kDense);
  const int64_t padded = WordsOf(count, bits, WordPacking::kPadded);
  if (words == dense && (words != padded || 32 % bits == 0)) return WordPacking::kDense;
  if (words == padded && words != dense) return WordPacking::kPadded;
  // Both take as many words; within one word they are the same.
  if (words == dense && words == 1) return WordPacking::kDense;
  return absl::InvalidArgumentError(
      absl::StrCat(words, " words do not say how ", count, " values of ", bits, " bits are packed"));
}

absl::StatusOr<Shape> ReadShape(const Tensor& tensor) {
  const bool wide = tensor.dtype() == DType::kI64;
  if ((!wide && tensor.dtype() != DType::kI32) || tensor.elements() != 2) {
    return absl::InvalidArgumentError("weight_shape is no pair of integers");
  }
  Shape shape(2);
  for (int i = 0; i < 2; ++i) {
    int32_t narrow = 0;
    if (wide) {
      std::memcpy(&shape[i], tensor.bytes().data() + 8 * i, 8);
    } else {
      std::memcpy(&narrow, tensor.bytes().data() + 4 * i, 4);
      shape[i] = narrow;
    }
    if (shape[i] < 1 || shape[i] > kMaxSide) {
      return absl::InvalidArgumentError(absl::StrCat("weight_shape says ", ShapeString(shape), ", which cannot be"));
    }
  }
  if (ElementCount(shape) < 0) {
    return absl::InvalidArgumentError(absl::StrCat("weight_shape says ", ShapeString(shape), ", which cannot be"));
  }
  return shape;
}

// Scales [rows, groups]; one of a whole tensor stands for every row.
absl::StatusOr<Tensor> SpreadScales(const WeightScheme& scheme, const Tensor& scales, int64_t rows, int64_t groups) {
  const Shape wanted = {rows, groups};
  if (scheme.strategy == "tensor" && scales.elements() == 1) {
    const size_t size = scales.bytes().size();
    std::vector<std::byte> bytes(size * rows);
    for (int64_t row = 0; row < rows; ++row) std::memcpy(bytes.data() + row * size, scales.bytes().data(), size);
    return Tensor::Own(scales.dtype(), wanted, std::move(bytes));
  }
  if (scales.shape() == wanted) return scales;
  return absl::InvalidArgumentError(
      absl::StrCat("weight_scale has shape ", ShapeString(scales.shape()), ", expected ", ShapeString(wanted)));
}

// Signed zero points [rows, groups] (or one) as unsigned ones.
absl::StatusOr<std::vector<uint8_t>> ReadZeroBytes(const Tensor& tensor, int64_t rows, int64_t groups, int bits) {
  const bool one = tensor.elements() == 1 && tensor.dtype() == DType::kI8;
  if (!one && (tensor.dtype() != DType::kI8 || tensor.shape() != Shape{rows, groups})) {
    return absl::InvalidArgumentError(absl::StrCat("weight_zero_point is ", DTypeName(tensor.dtype()), " ",
                                                   ShapeString(tensor.shape()), ", expected I8 ",
                                                   ShapeString({rows, groups})));
  }
  const std::span<const int8_t> stored = tensor.as<int8_t>();
  std::vector<uint8_t> values(static_cast<size_t>(rows * groups));
  for (size_t i = 0; i < values.size(); ++i) {
    const int value = stored[one ? 0 : i] + (1 << (bits - 1));
    if (value < 0 || value >= 1 << bits) {
      return absl::InvalidArgumentError(absl::StrCat("a zero point does not fit into ", bits, " bits"));
    }
    values[i] = static_cast<uint8_t>(value);
  }
  return values;
}

absl::StatusOr<std::vector<int32_t>> ReadIndex(const std::optional<Tensor>& tensor, int64_t columns) {
  if (!tensor) return std::vector<int32_t>();
  if (tensor->shape() != Shape{columns} || (tensor->dtype() != DType::kI32 && tensor->dtype() != DType::kI64)) {
    return absl::InvalidArgumentError(absl::StrCat("weight_g_idx is ", DTypeName(tensor->dtype()), " ",
                                                   ShapeString(tensor->shape()), ", expected I32 ",
                                                   ShapeString({columns})));
  }
  std::vector<int32_t> values(static_cast<size_t>(columns));
  const size_t size = DTypeSize(tensor->dtype());
  for (int64_t i = 0; i < columns; ++i) {
    // Little-endian: the low half of a wide one, which is all of it where it is in range.
    int64_t value = 0;
    std::memcpy(&value, tensor->bytes().data() + i * size, size);
    values[i] = value >= 0 && value <= INT32_MAX ? static_cast<int32_t>(value) : -1;
  }
  return values;
}

absl::StatusOr<EncodedTensorPtr> ReadPacked(const WeightScheme& scheme, const std::string& module, TensorPool& pool) {
  if (scheme.is_float) return ReadFloat4Weight(scheme, module, pool);
  TERSOR_ASSIGN_OR_RETURN(const Tensor words, pool.Take(absl::StrCat(module, kPackedSuffix)));
  TERSOR_ASSIGN_OR_RETURN(const Tensor scales, pool.Take(absl::StrCat(module, kScaleSuffix)));
  TERSOR_ASSIGN_OR_RETURN(const Tensor shape_tensor, pool.Take(module + ".weight_shape"));
  if (words.dtype() != DType::kI32 || words.shape().size() != 2) {
    return absl::UnimplementedError(absl::StrCat("weight_packed is ", DTypeName(words.dtype()), " of ", scheme.format,
                                                 "; integers packed into I32 are read"));
  }
  TERSOR_ASSIGN_OR_RETURN(const Shape shape, ReadShape(shape_tensor));
  IntParts parts;
  parts.rows = shape[0];
  parts.columns = shape[1];
  parts.bits = scheme.bits;
  if (parts.bits < 2 || parts.bits > 8) {
    return absl::UnimplementedError(absl::StrCat(parts.bits, " bits are not read; 2 to 8 are"));
  }
  const std::optional<Tensor> index = pool.TakeIfThere(module + ".weight_g_idx");
  TERSOR_ASSIGN_OR_RETURN(const int64_t groups, GroupsOf(scheme, parts.columns, index.has_value()));
  TERSOR_ASSIGN_OR_RETURN(const WordPacking packing, PackingOf(words.shape()[1], parts.columns, parts.bits));
  TERSOR_ASSIGN_OR_RETURN(parts.codes, UnpackRows(words, parts.rows, parts.columns, parts.bits, packing));
  TERSOR_ASSIGN_OR_RETURN(parts.scales, SpreadScales(scheme, scales, parts.rows, groups));
  TERSOR_ASSIGN_OR_RETURN(parts.group_index, ReadIndex(index, parts.columns));
  if (scheme.symmetric) return MakeIntTensor(std::move(parts));
  TERSOR_ASSIGN_OR_RETURN(const Tensor zeros, pool.Take(module + ".weight_zero_point"));
  if (zeros.dtype() == DType::kI8) {
    TERSOR_ASSIGN_OR_RETURN(parts.zero_points, ReadZeroBytes(zeros, parts.rows, groups, parts.bits));
    return MakeIntTensor(std::move(parts));
  }
  if (zeros.shape().size() != 2 || zeros.shape()[1] != groups) {
    return absl::InvalidArgumentError(
        absl::StrCat("weight_zero_point has shape ", ShapeString(zeros.shape()), " for ", groups, " groups"));
  }
  TERSOR_ASSIGN_OR_RETURN(const WordPacking rows_packing, PackingOf(zeros.shape()[0], parts.rows, parts.bits));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<uint8_t> by_group,
                          UnpackColumns(zeros, groups, parts.rows, parts.bits, rows_packing));
  parts.zero_points = Transposed(by_group, groups, parts.rows);
  return MakeIntTensor(std::move(parts));
}

absl::StatusOr<EncodedTensorPtr> ReadInt8(const WeightScheme& scheme, const std::string& module, const Tensor& weight,
                                          const Tensor& scales, TensorPool& pool) {
  IntParts parts;
  parts.rows = weight.shape()[0];
  parts.columns = weight.shape()[1];
  parts.bits = scheme.bits;
  if (scheme.is_float || parts.bits < 2 || parts.bits > 8) {
    return absl::InvalidArgumentError("the configuration says nothing of integers of 2 to 8 bits, the weight is I8");
  }
  const std::optional<Tensor> index = pool.TakeIfThere(module + ".weight_g_idx");
  TERSOR_ASSIGN_OR_RETURN(const int64_t groups, GroupsOf(scheme, parts.columns, index.has_value()));
  const std::span<const int8_t> codes = weight.as<int8_t>();
  parts.codes.resize(codes.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    const int code = codes[i] + (1 << (parts.bits - 1));
    if (code < 0 || code >= 1 << parts.bits) {
      return absl::InvalidArgumentError(
          absl::StrCat("code ", static_cast<int>(codes[i]), " does not fit into ", parts.bits, " bits"));
    }
    parts.codes[i] = static_cast<uint8_t>(code);
  }
  TERSOR_ASSIGN_OR_RETURN(parts.scales, SpreadScales(scheme, scales, parts.rows, groups));
  TERSOR_ASSIGN_OR_RETURN(parts.group_index, ReadIndex(index, parts.columns));
  if (!scheme.symmetric) {
    TERSOR_ASSIGN_OR_RETURN(const Tensor zeros, pool.Take(module + ".weight_zero_point"));
    TERSOR_ASSIGN_OR_RETURN(parts.zero_points, ReadZeroBytes(zeros, parts.rows, groups, parts.bits));
  }
  return MakeIntTensor(std::move(parts));
}

// Stored as it was; the runtime rounds it when it multiplies.
absl::StatusOr<EncodedTensorPtr> ReadFrozen(const WeightScheme& scheme, const std::string& module, const Tensor& weight,
                                            const Tensor& scales, TensorPool& pool) {
  IntParts parts;
  parts.rows = weight.shape()[0];
  parts.columns = weight.shape()[1];
  parts.bits = scheme.bits;
  if (parts.bits < 2 || parts.bits > 8) {
    return absl::UnimplementedError(absl::StrCat("integers of ", parts.bits, " bits are not read; 2 to 8 are"));
  }
  const std::optional<Tensor> index = pool.TakeIfThere(module + ".weight_g_idx");
  TERSOR_ASSIGN_OR_RETURN(const int64_t groups, GroupsOf(scheme, parts.columns, index.has_value()));
  TERSOR_ASSIGN_OR_RETURN(parts.scales, SpreadScales(scheme, scales, parts.rows, groups));
  TERSOR_ASSIGN_OR_RETURN(parts.group_index, ReadIndex(index, parts.columns));
  if (!scheme.symmetric) {
    TERSOR_ASSIGN_OR_RETURN(const Tensor zeros, pool.Take(module + ".weight_zero_point"));
    TERSOR_ASSIGN_OR_RETURN(parts.zero_points, ReadZeroBytes(zeros, parts.rows, groups, parts.bits));
  }
  TERSOR_ASSIGN_OR_RETURN(parts.codes, FrozenCodes(weight, parts));
  return MakeIntTensor(std::move(parts));
}

absl::StatusOr<EncodedTensorPtr> ReadPlain(const WeightScheme& scheme, const std::string& module, TensorPool& pool) {
  TERSOR_ASSIGN_OR_RETURN(const Tensor weight, pool.Take(module + ".weight"));
  TERSOR_ASSIGN_OR_RETURN(const Tensor scales, pool.Take(absl::StrCat(module, kScaleSuffix)));
  if (weight.shape().size() != 2 || weight.elements() < 1 || scales.elements() < 1) {
    return absl::InvalidArgumentError(absl::StrCat("weight ", ShapeString(weight.shape()), " and weight_scale ",
                                                   ShapeString(scales.shape()), " do not fit"));
  }
  if (weight.dtype() == DType::kI8) return ReadInt8(scheme, module, weight, scales, pool);
  if (weight.dtype() == DType::kF8E4M3 || weight.dtype() == DType::kF8E5M2) {
    return ReadFloat8Weight(scheme, weight, scales);
  }
  if (scheme.is_float) {
    return absl::UnimplementedError(
        absl::StrCat("weight is ", DTypeName(weight.dtype()), " in ", scheme.format,
                     "; I8 and 8-bit floats are read. Weights that are stored as they were, with scales beside them "
                     "(\"quantization_status\" frozen), are read of integers alone: save the model compressed "
                     "(save_compressed=True)"));
  }
  return ReadFrozen(scheme, module, weight, scales, pool);
}

// Inputs that are rounded token by token when they arrive belong to the weight's encoding. Integers: vLLM's kernels
// scale them by the largest magnitude over 2^(bits-1) - 1, as IntTokenFormat does (the package itself by 2^(bits-1) -
// 0.5). Floats: E4M3, the largest magnitude becomes 448. Null for any other kind.
absl::StatusOr<ActivationFormatPtr> InputFormatOf(const WeightScheme& scheme, int64_t inputs) {
  const JsonFields fields(scheme.input_activations);
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, fields.IntegerOr("num_bits", 1, 16, 8));
  TERSOR_ASSIGN_OR_RETURN(const std::string type, fields.StringOr("type", "int"));
  TERSOR_ASSIGN_OR_RETURN(const std::string strategy, fields.StringOr("strategy", "tensor"));
  TERSOR_ASSIGN_OR_RETURN(const bool symmetric, fields.BoolOr("symmetric", true));
  const nlohmann::json* dynamic = fields.Find("dynamic");
  if (strategy != "token" || bits < 2 || bits > 8 || dynamic == nullptr || *dynamic != true) {
    return ActivationFormatPtr();
  }
  if (type == "float" && bits == 8) {
    TERSOR_ASSIGN_OR_RETURN(ActivationFormatPtr format,
                            FloatTokenFormat::Create(inputs, {&E4m3Book(), -1, ScaleForm::kF32}));
    return format;
  }
  if (type != "int") return ActivationFormatPtr();
  IntTokenOptions options;
  options.bits = static_cast<int>(bits);
  options.symmetric = symmetric;
  TERSOR_ASSIGN_OR_RETURN(ActivationFormatPtr format, IntTokenFormat::Create(inputs, options));
  return format;
}

// What quantizers of activations left beside a module.
constexpr std::array kModuleRunTime = {".input_scale",  ".input_zero_point",  ".input_global_scale",
                                       ".output_scale", ".output_zero_point", ".output_global_scale"};
// Beside attention: scales of a quantized cache.
constexpr std::array kCacheRunTime = {".q_scale",        ".k_scale",       ".v_scale",      ".kv_scale",
                                      ".q_zero_point",   ".k_zero_point",  ".v_zero_point", ".q_global_scale",
                                      ".k_global_scale", ".v_global_scale"};

// Zero points of a symmetric scheme are zeros that say nothing.
absl::Status DropZeroPoints(const std::string& module, TensorPool& pool) {
  const std::string name = module + ".weight_zero_point";
  const std::optional<Tensor> zeros = pool.TakeIfThere(name);
  if (!zeros || zeros->dtype() == DType::kI32) return absl::OkStatus();
  const std::span<const std::byte> bytes = zeros->bytes();
  const auto other = std::find_if(bytes.begin(), bytes.end(), [](std::byte byte) { return byte != std::byte{0}; });
  // Floats may hold minus zero.
  const bool is_integer = zeros->dtype() == DType::kI8 || zeros->dtype() == DType::kI64;
  if (other == bytes.end() || !is_integer) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("weight_zero_point holds other values than 0 (the first one is element ",
                   (other - bytes.begin()) / static_cast<std::ptrdiff_t>(DTypeSize(zeros->dtype())),
                   "), but the configuration says \"symmetric\"; one of the two is wrong"));
}

template <typename Endings>
bool DropAll(const Endings& endings, TensorPool& pool) {
  bool any = false;
  for (const char* ending : endings) {
    for (const std::string& module : pool.ModulesWith(ending)) any |= pool.TakeIfThere(module + ending).has_value();
  }
  return any;
}

absl::StatusOr<EncodedTensorPtr> ReadModule(const WeightScheme& scheme, const std::string& module, TensorPool& pool) {
  const bool packed = pool.Find(absl::StrCat(module, kPackedSuffix)) != nullptr;
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr weight,
                          packed ? ReadPacked(scheme, module, pool) : ReadPlain(scheme, module, pool));
  TERSOR_RETURN_IF_ERROR(DropZeroPoints(module, pool));
  return weight;
}

// A configuration that quantizes the cache or inputs alone leaves the weights as they are.
absl::StatusOr<QuantizedWeights> ReadUnquantized(const std::string& format, const Safetensors& file,
                                                 const std::function<void(TensorPool& pool)>& drop) {
  QuantizedWeights weights;
  weights.format = format;
  TensorPool pool(file);
  drop(pool);
  TERSOR_RETURN_IF_ERROR(pool.TakeRest(weights.tensors));
  return weights;
}

struct FittingWeight {
  WeightScheme scheme;
  EncodedTensorPtr weight;
};

// By the first scheme that the tensors fit; what is wrong by the first of all where none does.
absl::StatusOr<FittingWeight> ReadByFirstThatFits(const std::vector<WeightScheme>& schemes, const std::string& module,
                                                  TensorPool& pool) {
  if (schemes.size() == 1) {
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr weight, ReadModule(schemes.front(), module, pool));
    return FittingWeight{schemes.front(), std::move(weight)};
  }
  absl::Status first;
  for (const WeightScheme& scheme : schemes) {
    TensorPool tried = pool;
    absl::StatusOr<EncodedTensorPtr> weight = ReadModule(scheme, module, tried);
    if (weight.ok()) {
      pool = std::move(tried);
      return FittingWeight{scheme, *std::move(weight)};
    }
    if (first.ok()) first = weight.status();
  }
  return first;
}

}  // namespace

absl::StatusOr<QuantizedWeights> ReadCompressedTensors(const nlohmann::json& config, const Safetensors& file) {
  const JsonFields fields(config);
  TERSOR_ASSIGN_OR_RETURN(const CompressedTensorsScheme scheme, ParseCompressedTensorsScheme(config));
  std::map<std::string, int> inputs;
  const auto read = [&](const std::string& module, TensorPool& pool) -> absl::StatusOr<EncodedTensorPtr> {
    TERSOR_ASSIGN_OR_RETURN(const std::vector<WeightScheme> schemes, SchemesOf(scheme, module));
    TERSOR_ASSIGN_OR_RETURN(const FittingWeight fitting, ReadByFirstThatFits(schemes, module, pool));
    const auto& [own, weight] = fitting;
    if (own.inputs.empty()) return weight;
    TERSOR_ASSIGN_OR_RETURN(const ActivationFormatPtr format, InputFormatOf(own, weight->columns()));
    if (format != nullptr) return InputFormatTensor::Create(weight, format);
    ++inputs[own.inputs];
    return weight;
  };
  bool cache_scales = false;
  const auto drop = [&](TensorPool& pool) {
    DropAll(kModuleRunTime, pool);
    cache_scales = DropAll(kCacheRunTime, pool);
  };
  const std::string format = absl::StrCat("compressed-tensors:", scheme.format);
  TERSOR_ASSIGN_OR_RETURN(QuantizedWeights weights, scheme.targets.empty()
                                                        ? ReadUnquantized(format, file, drop)
                                                        : ReadModules(format, kScaleSuffix, file, read, drop));
  weights.notes = scheme.notes;
  if (cache_scales && !fields.Has("kv_cache_scheme")) {
    weights.notes.emplace_back(
        "the file holds scales of a quantized key-value cache; here the cache is as the recipe says");
  }
  for (const auto& [how, count] : inputs) {
    weights.notes.push_back(absl::StrCat("the inputs of ", count, " linear layers are quantized at run time (", how,
                                         "); here the weights alone are"));
  }
  return weights;
}

}  // namespace tersor
