// How a Hugging Face folder or GGUF file of an architecture names and arranges what Tersor calls by Llama's names.
#ifndef TERSOR_CORE_MODEL_TENSOR_LAYOUT_H_
#define TERSOR_CORE_MODEL_TENSOR_LAYOUT_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/model/model_spec.h"
#include "core/tensor/tensor.h"

namespace tersor {

// How the rows of several parameters share one tensor.
enum class Fusion {
  // One after the other.
  kStacked,
  // Head by head: the first head's rows of each parameter, then the second head's.
  kByHead,
};

// One tensor of the file, "*" standing for the layer's number. A rule whose parameters the model lacks does not count.
struct TensorRule {
  absl::string_view file;
  // Tersor's names; the later ones are empty where the tensor holds one parameter.
  std::array<absl::string_view, 3> parameters;
  Fusion fusion = Fusion::kStacked;
  // GPT-2's Conv1D stores [inputs, outputs].
  bool transposed = false;
};

// Rows r = 0 .. rows - 1 of `parameter` stand in rows first + r / run * stride + r % run of the file's tensor.
struct TensorPart {
  std::string parameter;
  int64_t rows = 0;
  int64_t first = 0;
  int64_t run = 1;
  int64_t stride = 1;
};

struct FileTensor {
  std::string name;
  // As Tersor sees it: a transposed tensor has the other order in the file.
  Shape shape;
  bool transposed = false;
  std::vector<TensorPart> parts;

  // One parameter, whole and in its order.
  bool is_plain() const { return !transposed && parts.size() == 1; }
};

enum class FileKind { kFolder, kGguf };

// The tensors of a Hugging Face folder or a GGUF file that hold the model's parameters; every parameter stands in
// exactly one.
absl::StatusOr<std::vector<FileTensor>> FileTensors(const ModelSpec& spec, FileKind kind = FileKind::kFolder);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_TENSOR_LAYOUT_H_
