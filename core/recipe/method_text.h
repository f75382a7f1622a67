// What a recipe does to a model, in a line: for report files of any age, without the methods themselves.
#ifndef TERSOR_CORE_RECIPE_METHOD_TEXT_H_
#define TERSOR_CORE_RECIPE_METHOD_TEXT_H_

#include <string>

#include "tersor/v1/recipe.pb.h"

namespace tersor {

// "gptq bits 4, not symmetric + activations int, bits 8 + head bits 8 + skip down_proj": the method with the options
// that were set, by the recipe's names and in the proto's order, then what else the stage changes. "none" without a
// method.
std::string StageText(const v1::QuantizeStage& stage);
// "wanda, pattern 2:4 + skip down_proj".
std::string StageText(const v1::PruneStage& stage);
// Of whichever family; empty where the stage is.
std::string StageText(const v1::Stage& stage);

// All stages and the cache: "rtn bits 4; kv bits 8". Empty where the recipe changes nothing.
std::string MethodText(const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_CORE_RECIPE_METHOD_TEXT_H_
