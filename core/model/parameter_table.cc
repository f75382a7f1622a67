#include "core/model/parameter_table.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/row_permuted_tensor.h"
#include "core/model/architecture.h"
#include "core/model/model.h"

namespace tersor {
namespace {

absl::Status Missing(const std::string& name, const ParameterSpec& parameter) {
  return absl::InvalidArgumentError(absl::StrCat(
      "tensor \"", name, "\" of shape ", ShapeString(parameter.shape), " is missing",
      parameter.name == kHeadName ? " (the configuration says that the head is not tied to the embedding)" : ""));
}

absl::StatusOr<EncodedTensorPtr> Take(const std::string& name, const ParameterSpec& parameter, TensorMap& tensors) {
  const auto it = tensors.find(name);
  if (it == tensors.end()) return Missing(name, parameter);
  EncodedTensorPtr tensor = std::move(it->second);
  tensors.erase(it);
  if (tensor->shape() != parameter.shape) {
    return absl::InvalidArgumentError(absl::StrCat("tensor \"", name, "\" has shape ", ShapeString(tensor->shape()),
                                                   ", the configuration wants ", ShapeString(parameter.shape)));
  }
  return tensor;
}

}  // namespace

absl::StatusOr<TensorMap> TakeParameters(const ModelSpec& spec, TensorMap tensors, TensorNames names) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<ParameterSpec> expected, ModelParameters(spec));
  const bool gguf = names == TensorNames::kGguf;
  TensorMap parameters;
  for (const ParameterSpec& parameter : expected) {
    const std::string& name = gguf ? parameter.gguf_name : parameter.name;
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr tensor, Take(name, parameter, tensors));
    if (gguf && parameter.gguf_permuted_heads > 0) {
      TERSOR_ASSIGN_OR_RETURN(tensor, UnpermuteGgufRows(std::move(tensor), parameter.gguf_permuted_heads));
    }
    parameters.emplace(parameter.name, std::move(tensor));
  }
  if (!tensors.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor \"", tensors.begin()->first, "\" of shape ", ShapeString(tensors.begin()->second->shape()),
                     " is none that a ", spec.architecture, " of ", spec.layers.size(),
                     " layers with this configuration has (", tensors.size(), " such in all)"));
  }
  return parameters;
}

}  // namespace tersor
