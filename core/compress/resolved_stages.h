// A recipe's stages, checked against a model and turned into methods with their layers.
#ifndef TERSOR_CORE_COMPRESS_RESOLVED_STAGES_H_
#define TERSOR_CORE_COMPRESS_RESOLVED_STAGES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/head_compression.h"
#include "core/compress/method.h"
#include "core/model/model.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct ResolvedStage {
  // "quantize:gptq".
  std::string name;
  // "quantize".
  std::string family;
  std::unique_ptr<const Method> method;
  std::vector<LinearLayer> layers;
  // Where the stage changes head or embedding.
  std::optional<HeadPlan> head;
};

// One entry for each stage of the recipe; usable only when no violation was appended. A stage that cannot take a layer
// as an earlier one leaves it is a violation, and so are two stages that change the head.
std::vector<ResolvedStage> ResolveStages(const Model& model, const v1::Recipe& recipe,
                                         std::vector<FieldViolation>& violations);

// What all stages together make of the weights of their layers, by layer name.
std::map<std::string, PlannedEncoding> LayerEncodings(const Model& model, const std::vector<ResolvedStage>& stages);

// Which share of the walk's seconds each stage is told to have taken: that of the layers that it changes.
std::vector<double> StageShares(const std::vector<ResolvedStage>& stages);

// Parameters beside the stages' own that take scales of channels (fold_group.h), by name, and the bytes that they have
// afterwards, as float32.
std::map<std::string, uint64_t> ScaledParameters(const Model& model, const std::vector<ResolvedStage>& stages);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_RESOLVED_STAGES_H_
