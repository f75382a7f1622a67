// Which type of GGUF each parameter is stored as, and its bytes.
#ifndef TERSOR_CORE_EXPORTS_GGUF_STORAGE_H_
#define TERSOR_CORE_EXPORTS_GGUF_STORAGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/exports/dense_values.h"
#include "core/exports/difference.h"
#include "core/exports/export_format.h"
#include "core/exports/export_subject.h"

namespace tersor {

enum class GgufStorage {
  kF32,
  // Rounded.
  kF16,
  // Integer codes with their own scales: Q8_0, Q4_0 exactly, Q4_1 but for the rounding of its minimum to F16.
  kCodesQ8_0,
  kCodesQ4_0,
  kCodesQ4_1,
  // Rounded to Q8_0 as llama.cpp does it.
  kRoundedQ8_0,
  // GGUF blocks as they are.
  kBlocks,
  // Rounded to the choice's own blocks as llama.cpp's reference does it (gguf_block_encoders.h).
  kRoundedBlocks,
};

struct GgufTensorPlan {
  ExportTensor tensor;
  GgufStorage storage = GgufStorage::kF32;
  // Of kRoundedBlocks: "Q4_K".
  std::string rounded_type = "";
  // The choice's blocks do not divide the rows; the storage is what was taken instead.
  bool fallback = false;

  // Number of the tensor type in the file.
  uint32_t type() const;
  absl::string_view type_name() const;
  uint64_t bytes() const;
};

// Linear layers of the blocks become what `choice` says; an embedding or head keeps Q8_0 where it has it. In
// parameter order. INVALID_ARGUMENT names the layers that the choice cannot hold and what would work.
absl::StatusOr<std::vector<GgufTensorPlan>> PlanGgufStorage(GgufChoice choice, const ExportSubject& subject);

// A tensor of the file: the plans of the parameters that it holds, one after the other.
struct GgufFileTensor {
  std::string name;
  Shape shape;
  std::vector<const GgufTensorPlan*> parts;
};

// The file's tensors, which view `plans`. INVALID_ARGUMENT where parameters that the architecture's files join would
// have different types.
absl::StatusOr<std::vector<GgufFileTensor>> GgufFileTensors(const ModelSpec& spec,
                                                            const std::vector<GgufTensorPlan>& plans);

// The file's name of a choice: "q4_0".
absl::string_view GgufChoiceName(GgufChoice choice);

// Hands on the tensor's bytes row by row, in the file's row order.
absl::Status WriteGgufTensor(const GgufTensorPlan& plan, const EncodedTensorPtr& values, const ByteSink& sink);

// How far a value read back may lie from the original.
DifferenceTally::Tolerance GgufTolerance(const GgufTensorPlan& plan, const EncodedTensorPtr& values);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_GGUF_STORAGE_H_
