#include "core/yaml/message_schema.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tersor {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;

// "ScaleSearch" -> "SCALE_SEARCH_", the prefix that the API design guides ask of every value.
std::string ValuePrefix(const EnumDescriptor& type) {
  std::string prefix;
  for (char c : type.name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(c);
  }
  return prefix + '_';
}

}  // namespace

const FieldDescriptor* FindField(const Descriptor& message, absl::string_view key) {
  std::string name(key);
  if (const FieldDescriptor* field = message.FindFieldByName(name)) return field;
  return message.FindFieldByCamelcaseName(name);
}

std::vector<std::string> FieldNames(const Descriptor& message) {
  std::vector<std::string> names;
  for (int i = 0; i < message.field_count(); ++i) names.push_back(message.field(i)->name());
  return names;
}

const OneofDescriptor* MethodOneof(const Descriptor& message) { return message.FindOneofByName("method"); }

const FieldDescriptor* NameField(const Descriptor& message) {
  const FieldDescriptor* field = message.FindFieldByName("name");
  const bool names =
      field != nullptr && field->index() == 0 && field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated();
  return names ? field : nullptr;
}

std::vector<std::string> OneofNames(const OneofDescriptor& oneof) {
  std::vector<std::string> names;
  for (int i = 0; i < oneof.field_count(); ++i) names.push_back(oneof.field(i)->name());
  return names;
}

std::string ShortEnumName(const EnumValueDescriptor& value) {
  return absl::AsciiStrToLower(absl::StripPrefix(value.name(), ValuePrefix(*value.type())));
}

std::vector<std::string> ShortEnumNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) names.push_back(ShortEnumName(*type.value(i)));
  }
  return names;
}

const EnumValueDescriptor* FindEnumValue(const EnumDescriptor& type, absl::string_view name) {
  std::string upper = absl::AsciiStrToUpper(name);
  const EnumValueDescriptor* value = type.FindValueByName(upper);
  if (value == nullptr) value = type.FindValueByName(ValuePrefix(type) + upper);
  return value == nullptr || value->number() == 0 ? nullptr : value;
}

}  // namespace tersor
