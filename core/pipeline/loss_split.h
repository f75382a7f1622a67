// What rounding the weights, the layers' inputs and the KV cache costs each alone.
#ifndef TERSOR_CORE_PIPELINE_LOSS_SPLIT_H_
#define TERSOR_CORE_PIPELINE_LOSS_SPLIT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/model.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

inline constexpr absl::string_view kWeightsPart = "weights";
inline constexpr absl::string_view kActivationsPart = "activations";
inline constexpr absl::string_view kKvPart = "kv";

// The parts that are measured alone: those that the recipe rounds where it rounds more than one, has a perplexity and
// does not switch `evaluate.loss_split` off; else none. `given`: what the stages work on, whose tensors may be rounded
// by another tool (`foreign`).
std::vector<std::string> SplitParts(const v1::Recipe& recipe, const Model& given, bool foreign,
                                    const PlannedEncodings& encodings);

// "evaluate:loss:weights"; empty where a stage's name is no such.
std::string LossStageName(absl::string_view part);
std::string PartOfStage(absl::string_view stage);

// `compressed` with only `part` of it rounded, the rest as in `dense`. Inputs alone: the dense weights, scaled as the
// method scaled them before rounding (norms tell by how much; rows of v and up where they were scaled, by least
// squares), so that inputs are rounded at the magnitudes that the method made. INVALID_ARGUMENT where the two models
// differ in shape.
absl::StatusOr<Model> OnlyPart(const Model& dense, const Model& compressed, absl::string_view part);

// Adds the share, and before the first one the row "all" from the first perplexity's results.
void AddLossShare(absl::string_view part, double perplexity, v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_LOSS_SPLIT_H_
