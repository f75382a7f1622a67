#include "core/formats/quantized_weights.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/encoding/dense_tensor.h"
#include "core/formats/json_fields.h"
#include "core/formats/quantized_readers.h"

namespace tersor {
namespace {

struct Reader {
  // quant_method of the configuration.
  absl::string_view method;
  absl::StatusOr<QuantizedWeights> (*read)(const nlohmann::json& config, const Safetensors& file);
};

constexpr std::array kReaders = {
    Reader{"compressed-tensors", ReadCompressedTensors},
    Reader{"gptq", ReadGptq},
    Reader{"awq", ReadAwq},
};

}  // namespace

std::vector<std::string> TensorPool::ModulesWith(absl::string_view suffix) const {
  std::vector<std::string> modules;
  for (const auto& [name, tensor] : tensors_) {
    absl::string_view module = name;
    if (absl::ConsumeSuffix(&module, suffix)) modules.emplace_back(module);
  }
  return modules;
}

const Tensor* TensorPool::Find(absl::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::optional<Tensor> TensorPool::TakeIfThere(const std::string& name) {
  auto node = tensors_.extract(name);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

absl::StatusOr<Tensor> TensorPool::Take(const std::string& name) {
  std::optional<Tensor> tensor = TakeIfThere(name);
  if (!tensor) return absl::InvalidArgumentError(absl::StrCat("tensor \"", name, "\" is missing"));
  return *std::move(tensor);
}

absl::Status TensorPool::TakeRest(EncodedTensors& tensors) {
  for (const auto& [name, values] : tensors_) {
    absl::StatusOr<EncodedTensorPtr> tensor = DenseTensor::Create(values);
    if (!tensor.ok()) return Annotate(tensor.status(), absl::StrCat("tensor \"", name, "\""));
    if (!tensors.emplace(name, *std::move(tensor)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor \"", name, "\" stands in the file both quantized and unquantized"));
    }
  }
  tensors_.clear();
  return absl::OkStatus();
}

absl::StatusOr<QuantizedWeights> ReadModules(absl::string_view format, absl::string_view suffix,
                                             const Safetensors& file, const ModuleReader& read,
                                             const std::function<void(TensorPool& pool)>& drop) {
  QuantizedWeights weights;
  weights.format = std::string(format);
  TensorPool pool(file);
  for (const std::string& module : pool.ModulesWith(suffix)) {
    absl::StatusOr<EncodedTensorPtr> weight = read(module, pool);
    if (!weight.ok()) return Annotate(weight.status(), absl::StrCat("module \"", module, "\""));
    weights.tensors.emplace(module + ".weight", *std::move(weight));
  }
  if (weights.tensors.empty()) return absl::InvalidArgumentError(absl::StrCat("no tensor ends in ", suffix));
  drop(pool);
  TERSOR_RETURN_IF_ERROR(pool.TakeRest(weights.tensors));
  return weights;
}

absl::StatusOr<QuantizedWeights> ReadQuantizedWeights(const nlohmann::json& quantization_config,
                                                      const Safetensors& file) {
  constexpr absl::string_view kWhere = "quantization_config";
  if (!quantization_config.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(kWhere, " is not an object"));
  }
  absl::StatusOr<std::string> method = JsonFields(quantization_config).StringOr("quant_method", "");
  if (!method.ok()) return Annotate(method.status(), kWhere);
  for (const Reader& reader : kReaders) {
    if (reader.method != *method) continue;
    absl::StatusOr<QuantizedWeights> weights = reader.read(quantization_config, file);
    if (!weights.ok()) return Annotate(weights.status(), *method);
    return weights;
  }
  return absl::UnimplementedError(absl::StrCat(
      kWhere, ": quant_method \"", *method,
      "\" is not read; supported: ", absl::StrJoin(kReaders, ", ", [](std::string* out, const Reader& reader) {
        absl::StrAppend(out, reader.method);
      })));
}

}  // namespace tersor
