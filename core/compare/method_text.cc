#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/compare/comparison.h"
#include "google/protobuf/descriptor.h"

namespace tersor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Of anything but a switch.
std::string ScalarText(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat(reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(message, &field);
    default:
      return "";
  }
}

// "bits 4, group_size 64, symmetric": what was set, in the proto's order.
std::string Options(const Message& message) {
  std::vector<std::string> options;
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) continue;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
      options.push_back(absl::StrCat(message.GetReflection()->GetBool(message, field) ? "" : "not ", field->name()));
      continue;
    }
    if (std::string text = ScalarText(message, *field); !text.empty()) {
      options.push_back(absl::StrCat(field->name(), " ", text));
    }
  }
  return absl::StrJoin(options, ", ");
}

// The message that a stage's family or a family's method is set to; null where there is none.
const Message* Chosen(const Message& message, const std::string& oneof, std::string& name) {
  const auto* descriptor = message.GetDescriptor()->FindOneofByName(oneof);
  if (descriptor == nullptr) return nullptr;
  const FieldDescriptor* field = message.GetReflection()->GetOneofFieldDescriptor(message, descriptor);
  if (field == nullptr || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return nullptr;
  name = field->name();
  return &message.GetReflection()->GetMessage(message, field);
}

}  // namespace

std::string MethodText(const v1::Recipe& recipe) {
  std::vector<std::string> stages;
  for (const v1::Stage& stage : recipe.stages()) {
    std::string name;
    const Message* family = Chosen(stage, "kind", name);
    if (family == nullptr) continue;
    const Message* method = Chosen(*family, "method", name);
    const std::string options = Options(method == nullptr ? *family : *method);
    stages.push_back(options.empty() ? name : absl::StrCat(name, " ", options));
  }
  return absl::StrJoin(stages, "; ");
}

}  // namespace tersor
