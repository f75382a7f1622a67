// Advice that rests on published findings: core/pipeline/advice.json, compiled in.
#ifndef TERSOR_CORE_PIPELINE_ADVICE_H_
#define TERSOR_CORE_PIPELINE_ADVICE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/model.h"
#include "nlohmann/json.hpp"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// One fact and what must hold of it; a fact that the recipe does not have holds nothing.
struct AdviceCondition {
  std::string fact;
  // Equal to, below, above; the two others are null.
  nlohmann::json is;
  nlohmann::json below;
  nlohmann::json above;
};

struct Advice {
  std::string id;
  // All must hold.
  std::vector<AdviceCondition> when;
  std::string text;
  // Papers with their sections; at least one.
  std::vector<std::string> sources;
};

// INVALID_ARGUMENT names the entry and key that is wrong or unknown.
absl::StatusOr<std::vector<Advice>> ParseAdvice(absl::string_view json);

// The compiled file's text.
absl::string_view AdviceText();

// What conditions may ask: "method" of a stage; of all linear layers "weight_bits" (fewest), "group_size" (largest; a
// row's length where it has one scale), "inputs" ("float", "int" where any are integers), "input_bits" (fewest) and
// "sparsity" (largest share that is left out); "pattern", where that is N:M;
// "parameters"; "kv_bits" and "kv_keys" ("token", "channel"); "asks_prefill_speedup" and "asks_decode_speedup", where a
// gate wants more than 1.
using AdviceFacts = std::map<std::string, nlohmann::json>;

// The entries that hold, as warnings with the code ADVICE.
std::vector<v1::Warning> AdviceFor(const std::vector<Advice>& advice, const AdviceFacts& facts,
                                   absl::string_view where);

// For the stages of the recipe, in order; an entry is given once.
std::vector<v1::Warning> AdviceWarnings(const v1::Recipe& recipe, const Model& model,
                                        const PlannedEncodings& encodings);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_ADVICE_H_
