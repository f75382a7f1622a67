#include "core/exports/folder_tensor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/model/architecture.h"

namespace tersor {
namespace {

// Decodes [tensor.shape] as Tersor sees it; a vector counts as rows of one value.
absl::StatusOr<std::vector<float>> Gather(const FileTensor& tensor, const Model& model) {
  const int64_t width = tensor.shape.size() == 2 ? tensor.shape[1] : 1;
  std::vector<float> values(static_cast<size_t>(tensor.shape[0] * width));
  for (const TensorPart& part : tensor.parts) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr base, model.Find(part.parameter));
    const std::vector<float> rows = base->Decode();
    if (static_cast<int64_t>(rows.size()) != part.rows * width) {
      return absl::InvalidArgumentError(absl::StrCat("parameter \"", part.parameter, "\" has shape ",
                                                     ShapeString(base->shape()), ", not ", part.rows, " rows of ",
                                                     width));
    }
    for (int64_t row = 0; row < part.rows; ++row) {
      const int64_t to = part.first + row / part.run * part.stride + row % part.run;
      std::copy_n(rows.data() + row * width, width, values.data() + to * width);
    }
  }
  return values;
}

std::vector<float> Turn(const std::vector<float>& values, int64_t rows, int64_t columns) {
  std::vector<float> turned(values.size());
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) turned[column * rows + row] = values[row * columns + column];
  }
  return turned;
}

}  // namespace

Shape FileShape(const FileTensor& tensor) {
  if (!tensor.transposed) return tensor.shape;
  return {tensor.shape[1], tensor.shape[0]};
}

absl::Status WriteFolderTensor(const FileTensor& tensor, const Model& model, DType dtype, const ByteSink& sink) {
  if (tensor.is_plain()) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr values, model.Find(tensor.parts[0].parameter));
    return RoundTo(dtype, tensor.name, *values, sink);
  }
  TERSOR_ASSIGN_OR_RETURN(std::vector<float> values, Gather(tensor, model));
  if (tensor.transposed) values = Turn(values, tensor.shape[0], tensor.shape[1]);
  std::vector<std::byte> bytes;
  TERSOR_RETURN_IF_ERROR(RoundRow(dtype, tensor.name, values, bytes));
  return sink(bytes);
}

absl::Status CheckPlainLayout(absl::string_view format, const ModelSpec& spec) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
  if (architecture->rules.empty()) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("export ", format, ": ", architecture->class_name,
                   " names, joins or turns its layers otherwise than Llama, which this format's writer cannot express. "
                   "Export to safetensors; Tersor's own container holds everything"));
}

}  // namespace tersor
