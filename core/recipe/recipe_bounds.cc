#include "core/recipe/recipe_bounds.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace tersor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// More would say nothing new.
constexpr size_t kMaxViolations = 32;

void CheckMessage(const Message& message, const std::string& prefix, std::vector<FieldViolation>& violations);

// One value of a field; `index` -1 where the field is no list.
void CheckValue(const Message& message, const FieldDescriptor& field, int index, const std::string& path,
                std::vector<FieldViolation>& violations) {
  const Reflection& values = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const Message& inner =
        index < 0 ? values.GetMessage(message, &field) : values.GetRepeatedMessage(message, &field, index);
    return CheckMessage(inner, absl::StrCat(path, "."), violations);
  }
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
  std::string scratch;
  const std::string& text = index < 0 ? values.GetStringReference(message, &field, &scratch)
                                      : values.GetRepeatedStringReference(message, &field, index, &scratch);
  if (text.size() <= kMaxRecipeText) return;
  violations.push_back({path, absl::StrCat("is ", text.size(), " bytes long; at most ", kMaxRecipeText)});
}

void CheckMessage(const Message& message, const std::string& prefix, std::vector<FieldViolation>& violations) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = absl::StrCat(prefix, field->name());
    if (!field->is_repeated()) {
      CheckValue(message, *field, -1, path, violations);
      continue;
    }
    const int count = message.GetReflection()->FieldSize(message, field);
    if (count > kMaxRecipeItems) {
      violations.push_back({path, absl::StrCat("has ", count, " items; at most ", kMaxRecipeItems)});
      continue;
    }
    for (int i = 0; i < count && violations.size() < kMaxViolations; ++i) {
      CheckValue(message, *field, i, absl::StrCat(path, "[", i, "]"), violations);
    }
  }
}

}  // namespace

std::vector<FieldViolation> CheckRecipeBounds(const v1::Recipe& recipe) {
  std::vector<FieldViolation> violations;
  CheckMessage(recipe, "", violations);
  const size_t bytes = recipe.ByteSizeLong();
  if (violations.empty() && bytes > kMaxRecipeBytes) {
    violations.push_back({"recipe", absl::StrCat("is ", bytes, " bytes long; at most ", kMaxRecipeBytes)});
  }
  return violations;
}

}  // namespace tersor
