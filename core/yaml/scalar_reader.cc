#include "core/yaml/scalar_reader.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/nearest_name.h"
#include "core/yaml/message_schema.h"

namespace tersor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string Expected(absl::string_view what, const DocumentNode& node) {
  return absl::StrCat("expected ", what, ", got ", DescribeNode(node));
}

// A plain scalar whose text may be a number or a boolean.
bool IsPlain(const DocumentNode& node) { return node.kind == DocumentNode::Kind::kScalar && !node.quoted; }

// Adds or sets through the accessor pair that fits T.
template <typename T>
void Store(const FieldDescriptor& field, Message& message, T value,
           void (google::protobuf::Reflection::*set)(Message*, const FieldDescriptor*, T) const,
           void (google::protobuf::Reflection::*add)(Message*, const FieldDescriptor*, T) const) {
  (message.GetReflection()->*(field.is_repeated() ? add : set))(&message, &field, std::move(value));
}

std::string QuotesHint(const DocumentNode& node, bool would_fit) {
  return node.quoted && would_fit ? " (remove the quotes)" : "";
}

// Digits alone, however many.
bool IsWholeNumber(absl::string_view text) {
  if (absl::StartsWith(text, "-")) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

std::string ReadInt32(const DocumentNode& node, int32_t& value) {
  bool number = node.kind == DocumentNode::Kind::kScalar && IsWholeNumber(node.text);
  if (!IsPlain(node) || !number) return absl::StrCat(Expected("an integer", node), QuotesHint(node, number));
  return absl::SimpleAtoi(node.text, &value) ? "" : absl::StrCat(ShownText(node.text), " is out of range");
}

std::string ReadDouble(const DocumentNode& node, double& value) {
  bool number = node.kind == DocumentNode::Kind::kScalar && absl::SimpleAtod(node.text, &value);
  if (!IsPlain(node) || !number) return absl::StrCat(Expected("a number", node), QuotesHint(node, number));
  if (!std::isfinite(value)) return absl::StrCat("expected a finite number, got ", ShownText(node.text));
  return "";
}

std::string ReadBool(const DocumentNode& node, bool& value) {
  bool boolean = node.kind == DocumentNode::Kind::kScalar && (node.text == "true" || node.text == "false");
  if (!IsPlain(node) || !boolean) return absl::StrCat(Expected("true or false", node), QuotesHint(node, boolean));
  value = node.text == "true";
  return "";
}

std::string ReadEnum(const DocumentNode& node, const FieldDescriptor& field, Message& message) {
  const google::protobuf::EnumDescriptor& type = *field.enum_type();
  std::vector<std::string> names = ShortEnumNames(type);
  if (node.kind != DocumentNode::Kind::kScalar) {
    return absl::StrCat(Expected("one name", node), NameHint("", names, "known"));
  }
  const auto* value = FindEnumValue(type, node.text);
  if (value == nullptr)
    return absl::StrCat("unknown value \"", ShownText(node.text), "\"", NameHint(node.text, names, "known"));
  using google::protobuf::Reflection;
  Store(field, message, value, &Reflection::SetEnum, &Reflection::AddEnum);
  return "";
}

}  // namespace

std::string ReadScalar(const DocumentNode& node, const FieldDescriptor& field, Message& message) {
  using google::protobuf::Reflection;
  std::string fault;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t value = 0;
      fault = ReadInt32(node, value);
      if (fault.empty()) Store(field, message, value, &Reflection::SetInt32, &Reflection::AddInt32);
      return fault;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value = 0;
      fault = ReadDouble(node, value);
      if (fault.empty()) Store(field, message, value, &Reflection::SetDouble, &Reflection::AddDouble);
      return fault;
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool value = false;
      fault = ReadBool(node, value);
      if (fault.empty()) Store(field, message, value, &Reflection::SetBool, &Reflection::AddBool);
      return fault;
    }
    case FieldDescriptor::CPPTYPE_STRING:
      if (node.kind != DocumentNode::Kind::kScalar) return Expected("text", node);
      Store(field, message, node.text, &Reflection::SetString, &Reflection::AddString);
      return "";
    case FieldDescriptor::CPPTYPE_ENUM:
      return ReadEnum(node, field, message);
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return "this kind of field cannot be written in YAML; use protobuf's text format";
}

}  // namespace tersor
