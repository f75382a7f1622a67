// What quantized layers' codes, zero points and groups look like when they are read wrongly. Private to core/lint.
#ifndef TERSOR_CORE_LINT_LAYER_CHECKS_H_
#define TERSOR_CORE_LINT_LAYER_CHECKS_H_

#include "core/lint/findings.h"
#include "core/lint/raw_layers.h"
#include "core/model/model.h"

namespace tersor {

// v1 and v2 of GPTQ's zero points, and g_idx. `reference` may be null.
void CheckGptqLayers(const RawFolder& folder, const Model* reference, Findings& findings);
// The order of nibbles, and zero points that are GPTQ's.
void CheckAwqLayers(const RawFolder& folder, const Model* reference, Findings& findings);

// The order of nibbles, zero points, weight_g_idx, and tensors that the configuration leaves no place for.
void CheckCompressedTensorsLayers(const RawFolder& folder, const Model* reference, Findings& findings);

// Zero points of GPTQ layers as a reader takes them that holds the configuration's "sym" against them: where all of a
// layer are one off the middle of the grid, they are the middle.
void CorrectSymmetricZeros(const nlohmann::json& config, std::vector<RawLayer>& layers);

// Decodes rows of every layer and compares them with `model`'s, bit for bit; adds to `compared`.
void CompareLayers(const std::vector<RawLayer>& layers, const Model& model, Findings& findings, int64_t& compared);

// Mean squared difference from the reference over some rows; negative where the reference has no such layer.
double ErrorAgainst(const RawLayer& layer, const Model& reference);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_LAYER_CHECKS_H_
