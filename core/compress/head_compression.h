// What becomes of the embedding and the head, which may be one parameter.
#ifndef TERSOR_CORE_COMPRESS_HEAD_COMPRESSION_H_
#define TERSOR_CORE_COMPRESS_HEAD_COMPRESSION_H_

#include <optional>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/compress/method.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/model.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct HeadPlan {
  // The head becomes a parameter of its own (a copy of the embedding, before any rounding).
  bool untie = false;
  // Bits 0: nothing is rounded.
  GridOptions grid;
  // The parameter that is rounded: the head, or the embedding while they are one.
  std::string parameter;
};

// nullopt where head and embedding stay as they are. Faults are appended with `field` as the path of the message.
std::optional<HeadPlan> PlanHead(const Model& model, const v1::HeadOptions& options, const std::string& field,
                                 std::vector<FieldViolation>& violations);

// What the plan makes of parameters.
PlannedEncodings HeadEncodings(const Model& model, const HeadPlan& plan);

// What CompressHead needs beside the weight and what becomes of it: an upper bound.
int64_t HeadScratchBytes(const Model& model, const HeadPlan& plan);

// Unties and rounds to nearest; changes `model` at once.
absl::StatusOr<SegmentOutcome> CompressHead(Model& model, const HeadPlan& plan, int threads,
                                            const CancellationToken* cancellation);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_HEAD_COMPRESSION_H_
