#include "core/recipe/stage_method.h"

#include "google/protobuf/descriptor.h"

namespace tersor {
namespace {

const google::protobuf::FieldDescriptor* ChosenMethod(const v1::QuantizeStage& stage) {
  const google::protobuf::OneofDescriptor* methods = v1::QuantizeStage::descriptor()->FindOneofByName("method");
  return stage.GetReflection()->GetOneofFieldDescriptor(stage, methods);
}

}  // namespace

absl::string_view StageMethodName(const v1::QuantizeStage& stage) {
  const google::protobuf::FieldDescriptor* method = ChosenMethod(stage);
  if (method == nullptr) return {};
  return {method->name().data(), method->name().size()};
}

google::protobuf::Message* MutableMethodOptions(v1::QuantizeStage& stage) {
  const google::protobuf::FieldDescriptor* method = ChosenMethod(stage);
  return method == nullptr ? nullptr : stage.GetReflection()->MutableMessage(&stage, method);
}

}  // namespace tersor
