#include "core/model/parameter_table.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/row_permuted_tensor.h"
#include "core/encoding/row_selection.h"
#include "core/model/architecture.h"
#include "core/model/model.h"
#include "core/model/tensor_layout.h"

namespace tersor {
namespace {

struct NamePrefix {
  absl::string_view prefix;
  absl::string_view cause;
};
// What wrappers of a model put before its names.
constexpr std::array kPrefixes = {
    NamePrefix{"_orig_mod.", "torch.compile's wrapper was saved instead of the model"},
    NamePrefix{"module.", "DataParallel's wrapper was saved instead of the model"},
    NamePrefix{"base_model.model.", "PEFT's wrapper was saved instead of the model; merge the adapter and save that"},
    NamePrefix{"language_model.", "this is the text part of a model of several kinds of input"},
    NamePrefix{"text_model.", "this is the text part of a model of several kinds of input"},
};

// Names a tensor that the file has in the place of one that is missing: the same one behind a prefix, else the first
// that nobody asked for. Empty where the file has no more.
std::string Instead(absl::string_view name, const TensorMap& left) {
  const absl::string_view core = absl::StripPrefix(name, "model.");
  for (const auto& [other, tensor] : left) {
    if (!absl::EndsWith(other, core) || other.size() == core.size()) continue;
    const absl::string_view before = absl::string_view(other).substr(0, other.size() - core.size());
    if (before.back() != '.') continue;
    const auto known = std::find_if(kPrefixes.begin(), kPrefixes.end(), [&](const NamePrefix& row) {
      return absl::StrContains(absl::StrCat(".", before), absl::StrCat(".", row.prefix));
    });
    const absl::string_view cause =
        known == kPrefixes.end() ? "its names have a prefix that this architecture's lack" : known->cause;
    return absl::StrCat("; the file has \"", other, "\": ", cause, " (take \"",
                        absl::EndsWith(other, name) ? absl::StripSuffix(other, name) : before, "\" off every name)");
  }
  if (left.empty()) return "";
  return absl::StrCat("; the file has ", left.size(), " tensors that are left over, \"", left.begin()->first,
                      "\" of shape ", ShapeString(left.begin()->second->shape()), " among them");
}

absl::Status Missing(const std::string& name, const ParameterSpec& parameter, const TensorMap& left) {
  return absl::InvalidArgumentError(absl::StrCat(
      "tensor \"", name, "\" of shape ", ShapeString(parameter.shape), " is missing",
      parameter.name == kHeadName ? " (the configuration says that the head is not tied to the embedding; a "
                                    "model that was saved without its head has none)"
                                  : "",
      Instead(name, left)));
}

absl::StatusOr<EncodedTensorPtr> Take(const std::string& name, const ParameterSpec& parameter, TensorMap& tensors) {
  const auto it = tensors.find(name);
  if (it == tensors.end()) return Missing(name, parameter, tensors);
  EncodedTensorPtr tensor = std::move(it->second);
  tensors.erase(it);
  if (tensor->shape() != parameter.shape) {
    return absl::InvalidArgumentError(absl::StrCat("tensor \"", name, "\" has shape ", ShapeString(tensor->shape()),
                                                   ", the configuration wants ", ShapeString(parameter.shape)));
  }
  return tensor;
}

std::string Without(absl::string_view prefix, const std::string& name) {
  return std::string(absl::StripPrefix(name, prefix));
}

// Divides a tensor of the file among the parameters that it holds.
absl::Status Divide(const FileTensor& file, const std::string& name, EncodedTensorPtr tensor, TensorMap& parameters) {
  // Quantizers store what they make of a Conv1D as [outputs, inputs] like everything else.
  if (file.transposed && tensor->encoding() == DenseTensor::kName) {
    TERSOR_ASSIGN_OR_RETURN(tensor, TransposedDense(*tensor));
  }
  if (tensor->shape() != file.shape) {
    return absl::InvalidArgumentError(absl::StrCat("tensor \"", name, "\" has shape ", ShapeString(tensor->shape()),
                                                   ", the configuration wants ", ShapeString(file.shape)));
  }
  for (const TensorPart& part : file.parts) {
    absl::StatusOr<EncodedTensorPtr> rows = SelectRows(tensor, {part.rows, part.first, part.run, part.stride});
    if (!rows.ok()) return Annotate(rows.status(), absl::StrCat("tensor \"", name, "\""));
    parameters.emplace(part.parameter, *std::move(rows));
  }
  return absl::OkStatus();
}

// From the order of rows and the values of a GGUF file to Hugging Face's.
absl::Status UndoGguf(const ParameterSpec& parameter, EncodedTensorPtr& tensor) {
  if (parameter.gguf_permuted_heads > 0) {
    TERSOR_ASSIGN_OR_RETURN(tensor, UnpermuteGgufRows(std::move(tensor), parameter.gguf_permuted_heads));
  }
  if (parameter.gguf_added == 0) return absl::OkStatus();
  std::vector<float> values = tensor->Decode();
  for (float& value : values) value -= parameter.gguf_added;
  TERSOR_ASSIGN_OR_RETURN(tensor, DenseTensor::FromFloats(tensor->shape(), std::move(values)));
  return absl::OkStatus();
}

absl::Status NothingLeft(const ModelSpec& spec, const TensorMap& tensors) {
  if (tensors.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("tensor \"", tensors.begin()->first, "\" of shape ", ShapeString(tensors.begin()->second->shape()),
                   " is none that a ", spec.architecture, " of ", spec.layers.size(),
                   " layers with this configuration has (", tensors.size(), " such in all)"));
}

}  // namespace

absl::StatusOr<TensorMap> TakeFolderParameters(const ModelSpec& spec, TensorMap tensors) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<FileTensor> files, FileTensors(spec));
  TensorMap parameters;
  for (const FileTensor& file : files) {
    auto it = tensors.find(file.name);
    if (it == tensors.end()) it = tensors.find(Without(architecture->optional_prefix, file.name));
    if (it == tensors.end()) {
      return Missing(file.name, {file.parts[0].parameter, "", file.shape}, tensors);
    }
    const std::string name = it->first;
    const EncodedTensorPtr tensor = std::move(it->second);
    tensors.erase(it);
    TERSOR_RETURN_IF_ERROR(Divide(file, name, tensor, parameters));
  }
  TERSOR_RETURN_IF_ERROR(NothingLeft(spec, tensors));
  return parameters;
}

absl::StatusOr<TensorMap> TakeParameters(const ModelSpec& spec, TensorMap tensors) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<ParameterSpec> expected, ModelParameters(spec));
  TensorMap parameters;
  for (const ParameterSpec& parameter : expected) {
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr tensor, Take(parameter.name, parameter, tensors));
    parameters.emplace(parameter.name, std::move(tensor));
  }
  TERSOR_RETURN_IF_ERROR(NothingLeft(spec, tensors));
  return parameters;
}

absl::StatusOr<TensorMap> TakeGgufParameters(const ModelSpec& spec, TensorMap tensors) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<ParameterSpec> expected, ModelParameters(spec));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<FileTensor> files, FileTensors(spec, FileKind::kGguf));
  std::map<std::string, const ParameterSpec*, std::less<>> specs;
  for (const ParameterSpec& parameter : expected) specs[parameter.name] = &parameter;
  TensorMap parameters;
  for (const FileTensor& file : files) {
    const bool apart =
        file.parts.size() > 1 && std::all_of(file.parts.begin(), file.parts.end(), [&](const TensorPart& part) {
          return tensors.count(specs[part.parameter]->gguf_name) > 0;
        });
    if (apart || file.is_plain()) {
      for (const TensorPart& part : file.parts) {
        const ParameterSpec& parameter = *specs[part.parameter];
        const std::string& name = apart ? parameter.gguf_name : file.name;
        TERSOR_ASSIGN_OR_RETURN(parameters[part.parameter], Take(name, parameter, tensors));
      }
      continue;
    }
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr tensor,
                            Take(file.name, {file.parts[0].parameter, "", file.shape}, tensors));
    TERSOR_RETURN_IF_ERROR(Divide(file, file.name, std::move(tensor), parameters));
  }
  TERSOR_RETURN_IF_ERROR(NothingLeft(spec, tensors));
  for (const ParameterSpec& parameter : expected) {
    TERSOR_RETURN_IF_ERROR(UndoGguf(parameter, parameters.at(parameter.name)));
  }
  return parameters;
}

}  // namespace tersor
