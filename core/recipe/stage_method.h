// The method that a recipe's stage names.
#ifndef TERSOR_CORE_RECIPE_STAGE_METHOD_H_
#define TERSOR_CORE_RECIPE_STAGE_METHOD_H_

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// As a recipe spells it ("gptq"); empty where the stage names none. The name lives as long as the program.
absl::string_view StageMethodName(const v1::QuantizeStage& stage);

// The method's options, to be changed by name; null where the stage names no method.
google::protobuf::Message* MutableMethodOptions(v1::QuantizeStage& stage);

}  // namespace tersor

#endif  // TERSOR_CORE_RECIPE_STAGE_METHOD_H_
