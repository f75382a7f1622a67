// The family and the method that a recipe's stage names.
#ifndef TERSOR_CORE_RECIPE_STAGE_METHOD_H_
#define TERSOR_CORE_RECIPE_STAGE_METHOD_H_

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// Names live as long as the program.

// "quantize", "prune"; empty where the stage is.
absl::string_view StageFamily(const v1::Stage& stage);
// The family's message (QuantizeStage, ...); null where the stage is empty.
const google::protobuf::Message* FamilyMessage(const v1::Stage& stage);

// Of a family's message, whose methods are its oneof "method".
// As a recipe spells it ("gptq"); empty where none is named.
absl::string_view StageMethodName(const google::protobuf::Message& family);
// The method's options; null where no method is named.
const google::protobuf::Message* MethodOptions(const google::protobuf::Message& family);
// The same, to be changed by name.
google::protobuf::Message* MutableMethodOptions(google::protobuf::Message& family);

// Of a stage: as above, or empty.
absl::string_view StageMethodName(const v1::Stage& stage);
// "quantize:gptq": what plans, progress and reports call a stage; the family alone where no method is named.
std::string StageName(const v1::Stage& stage);

}  // namespace tersor

#endif  // TERSOR_CORE_RECIPE_STAGE_METHOD_H_
