// What a recipe's stages may well be asked to do, but hardly on purpose.
#ifndef TERSOR_CORE_PIPELINE_STAGE_WARNINGS_H_
#define TERSOR_CORE_PIPELINE_STAGE_WARNINGS_H_

#include <cstdint>
#include <vector>

#include "core/model/model.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// ALL_LAYERS_SKIPPED where `skip` leaves a stage none; FEW_CALIBRATION_TOKENS where `tokens`, what the recipe asks to
// calibrate on, are fewer than the inputs of a layer that a method solves for by its second moment;
// SINGLE_CALIBRATION_SAMPLE. The recipe's stages fit the model.
std::vector<v1::Warning> StageWarnings(const v1::Recipe& recipe, const Model& model, int64_t tokens);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_STAGE_WARNINGS_H_
