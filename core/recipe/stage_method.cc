#include "core/recipe/stage_method.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"

namespace tersor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The field of `message` that its oneof has; null where it has none.
const FieldDescriptor* Chosen(const Message& message, const char* oneof) {
  const google::protobuf::OneofDescriptor* descriptor = message.GetDescriptor()->FindOneofByName(oneof);
  return descriptor == nullptr ? nullptr : message.GetReflection()->GetOneofFieldDescriptor(message, descriptor);
}

absl::string_view NameOf(const FieldDescriptor* field) {
  return field == nullptr ? absl::string_view() : absl::string_view(field->name().data(), field->name().size());
}

}  // namespace

absl::string_view StageFamily(const v1::Stage& stage) { return NameOf(Chosen(stage, "kind")); }

const Message* FamilyMessage(const v1::Stage& stage) {
  const FieldDescriptor* family = Chosen(stage, "kind");
  return family == nullptr ? nullptr : &stage.GetReflection()->GetMessage(stage, family);
}

absl::string_view StageMethodName(const Message& family) { return NameOf(Chosen(family, "method")); }

const Message* MethodOptions(const Message& family) {
  const FieldDescriptor* method = Chosen(family, "method");
  return method == nullptr ? nullptr : &family.GetReflection()->GetMessage(family, method);
}

Message* MutableMethodOptions(Message& family) {
  const FieldDescriptor* method = Chosen(family, "method");
  return method == nullptr ? nullptr : family.GetReflection()->MutableMessage(&family, method);
}

absl::string_view StageMethodName(const v1::Stage& stage) {
  const Message* family = FamilyMessage(stage);
  return family == nullptr ? absl::string_view() : StageMethodName(*family);
}

std::string StageName(const v1::Stage& stage) {
  const absl::string_view method = StageMethodName(stage);
  return method.empty() ? std::string(StageFamily(stage)) : absl::StrCat(StageFamily(stage), ":", method);
}

}  // namespace tersor
