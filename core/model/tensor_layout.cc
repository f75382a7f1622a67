#include "core/model/tensor_layout.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/model/architecture.h"

namespace tersor {
namespace {

using Shapes = std::map<std::string, Shape, std::less<>>;

std::string WithLayer(absl::string_view pattern, size_t layer) {
  return absl::StrReplaceAll(pattern, {{"*", absl::StrCat(layer)}});
}

// The rule's tensor in one layer; nothing where the model has none of its parameters.
absl::StatusOr<std::optional<FileTensor>> Apply(const TensorRule& rule, size_t layer, int64_t heads,
                                                const Shapes& shapes) {
  FileTensor tensor;
  tensor.name = WithLayer(rule.file, layer);
  tensor.transposed = rule.transposed;
  int64_t rows = 0;
  for (const absl::string_view pattern : rule.parameters) {
    if (pattern.empty()) continue;
    const std::string name = WithLayer(pattern, layer);
    const auto found = shapes.find(name);
    if (found == shapes.end()) continue;
    const Shape& shape = found->second;
    tensor.shape = shape;
    tensor.parts.push_back({name, shape[0], rows, shape[0], shape[0]});
    rows += shape[0];
  }
  if (tensor.parts.empty()) return std::optional<FileTensor>();
  tensor.shape[0] = rows;
  if (rule.fusion == Fusion::kStacked) return std::optional<FileTensor>(std::move(tensor));
  int64_t first = 0;
  for (TensorPart& part : tensor.parts) {
    if (part.rows % heads != 0) {
      return absl::InvalidArgumentError(absl::StrCat("parameter \"", part.parameter, "\" has ", part.rows,
                                                     " rows, no multiple of ", heads, " heads"));
    }
    part.run = part.rows / heads;
    part.stride = rows / heads;
    part.first = first;
    first += part.run;
  }
  return std::optional<FileTensor>(std::move(tensor));
}

}  // namespace

absl::StatusOr<std::vector<FileTensor>> FileTensors(const ModelSpec& spec, FileKind kind) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<ParameterSpec> parameters, ModelParameters(spec));
  Shapes shapes;
  for (const ParameterSpec& parameter : parameters) shapes[parameter.name] = parameter.shape;
  std::vector<FileTensor> tensors;
  for (const TensorRule& rule : kind == FileKind::kGguf ? architecture->gguf_rules : architecture->rules) {
    const size_t count = absl::StrContains(rule.file, "*") ? spec.layers.size() : 1;
    for (size_t layer = 0; layer < count; ++layer) {
      const int64_t heads = spec.layers[layer].attention.kv_heads;
      TERSOR_ASSIGN_OR_RETURN(std::optional<FileTensor> tensor, Apply(rule, layer, heads, shapes));
      if (!tensor) continue;
      for (const TensorPart& part : tensor->parts) shapes.erase(part.parameter);
      tensors.push_back(*std::move(tensor));
    }
  }
  // What no rule names is called as in a file of Llama's.
  for (const ParameterSpec& parameter : parameters) {
    if (shapes.count(parameter.name) == 0) continue;
    const int64_t rows = parameter.shape[0];
    const std::string& name = kind == FileKind::kGguf ? parameter.gguf_name : parameter.name;
    tensors.push_back({name, parameter.shape, false, {{parameter.name, rows, 0, rows, rows}}});
  }
  return tensors;
}

}  // namespace tersor
