// Applies a recipe's stages to a model: the entry of core/compress.
#ifndef TERSOR_CORE_COMPRESS_COMPRESS_MODEL_H_
#define TERSOR_CORE_COMPRESS_COMPRESS_MODEL_H_

#include <cstdint>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/event_sink.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/calibration/statistics_store.h"
#include "core/calibration/token_batches.h"
#include "core/compress/block_checkpoint.h"
#include "core/compress/method_description.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/compute_options.h"
#include "core/model/model.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Of the calibration text, as a recipe asks for it.
struct CalibrationSize {
  int64_t tokens = 0;
  // Of the longest sequence.
  int64_t longest = 0;
};

struct CompressionPlan {
  // One for each stage of the recipe, in order: "quantize:gptq". Upper bounds: stages share one walk over the blocks,
  // its memory, its scratch files (told with the first) and, by the layers that each changes, its seconds.
  std::vector<v1::PlannedStage> stages;
  // Some stage reads calibration text.
  bool needs_calibration = false;
  // Bytes of all parameters afterwards, ties once; exact where the values do not decide (planned_encoding.h).
  uint64_t parameter_bytes = 0;
  // Of every parameter that the stages change; exports are checked against it (export_registry.h).
  PlannedEncodings encodings;
};

// Checks the recipe's stages against the model's shapes and says what they will cost, without reading a weight.
// Faults are appended to `violations` (fields from the recipe's root); the plan holds only when none were.
CompressionPlan PlanCompression(const Model& model, const v1::Recipe& recipe, const CalibrationSize& calibration,
                                const ComputeOptions& options, std::vector<FieldViolation>& violations);

struct CompressionResult {
  // One for each layer, in the model's order, head and embedding last.
  std::vector<v1::LayerResult> layers;
  std::vector<v1::Warning> warnings;
  // One for each stage of the recipe. Stages that share one walk over the blocks share its seconds by the layers each
  // changed.
  std::vector<v1::StageReport> stages;
};

// Replaces model.parameters (and spec.tied, where untied) as the recipe's stages say. All stages are
// applied in one walk over the blocks, in the recipe's order on each layer. Events: Progress (unit "blocks") after each
// block and at least every few seconds, Warning, LayerResult for each layer, StageReport at the end. The result's bytes
// depend on the model, the recipe, the ids and the instruction set alone: not on threads, nor on being broken off and
// started again with the same `checkpoint` (may be null), nor on what `statistics` (may be null) holds already: the
// dense model's, which this job adds to. INVALID_ARGUMENT lists the violations of PlanCompression;
// CANCELLED within about a second of the token being set, with `model` as after the last finished block.
absl::StatusOr<CompressionResult> CompressModel(Model& model, const v1::Recipe& recipe,
                                                const CalibrationTokens& calibration, const ComputeOptions& options,
                                                BlockCheckpoint* checkpoint, EventSink& events,
                                                const CancellationToken* cancellation,
                                                StatisticsStore* statistics = nullptr);

// Every compression method there is, with its options.
std::vector<MethodDescription> CompressionMethods();

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_COMPRESS_MODEL_H_
