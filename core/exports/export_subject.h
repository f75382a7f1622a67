// What an export is asked to hold: every parameter with its place, its shape and the form its values have.
#ifndef TERSOR_CORE_EXPORTS_EXPORT_SUBJECT_H_
#define TERSOR_CORE_EXPORTS_EXPORT_SUBJECT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/architecture.h"
#include "core/model/model.h"
#include "core/model/model_spec.h"
#include "core/tensor/dtype.h"

namespace tersor {

// An encoding as far as an export must know it, whether the tensor is there already or only planned.
struct StoredForm {
  // "dense", "group-int", "codebook", "gguf-block", ...
  std::string encoding;
  // Of dense.
  DType dtype = DType::kF32;
  // Of group-int and codebook; the group size is resolved (never -1).
  int bits = 0;
  int64_t group_size = 0;
  bool symmetric = true;
  // Of codebook: "e2m1", and the form of its scales ("e8m0").
  std::string book;
  std::string scales;
  // Of gguf-block: "Q4_1".
  std::string block_type;
  // What the layer's inputs are quantized to: "int-token"; empty: they stay in float.
  std::string input_format;
  // Its parameters as JSON text, of formats that stand for no statistics.
  std::string input_parameters;

  bool operator==(const StoredForm&) const = default;
};

// "4 bits, groups of 64, symmetric", "BF16", "Q4_1 blocks".
std::string FormText(const StoredForm& form);

struct ExportTensor {
  ParameterSpec parameter;
  StoredForm form;

  bool is_matrix() const { return parameter.shape.size() == 2; }
  // The embedding or the head: no linear layer of a block.
  bool is_vocabulary() const { return parameter.name == kEmbeddingName || parameter.name == kHeadName; }
  // "model.layers.0.mlp.down_proj" of "model.layers.0.mlp.down_proj.weight".
  std::string module() const;
};

struct ExportSubject {
  // Untied where the plan gives the head an encoding of its own.
  ModelSpec spec;
  std::vector<ExportTensor> tensors;
};

// The model once its parameters have `encodings` (empty: as it is). INVALID_ARGUMENT names a parameter that is missing
// or of another shape than the spec says, or a planned one that the model does not have.
absl::StatusOr<ExportSubject> DescribeSubject(const Model& model, const PlannedEncodings& encodings);

// One error for several layers: "REASON: LAYER, LAYER, LAYER and 5 more. ADVICE".
absl::Status CannotHold(absl::string_view format, absl::string_view reason, const std::vector<std::string>& layers,
                        absl::string_view advice);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_EXPORT_SUBJECT_H_
