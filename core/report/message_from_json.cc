#include "core/report/message_from_json.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = nlohmann::json;

// One scalar of any field, before it is set or added.
struct Scalar {
  double number = 0;
  int64_t integer = 0;
  uint64_t natural = 0;
  bool truth = false;
  int enumerator = 0;
  std::string text;
};

absl::Status Wrong(const std::string& path, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(path, " is not ", expected));
}

// "GateOutcome" -> "GATE_OUTCOME_", as MessageToJson leaves it out.
std::string EnumPrefix(const std::string& type_name) {
  std::string prefix;
  for (size_t i = 0; i < type_name.size(); ++i) {
    if (i > 0 && absl::ascii_isupper(type_name[i])) prefix += '_';
    prefix += absl::ascii_toupper(type_name[i]);
  }
  return prefix + "_";
}

absl::Status ReadEnum(const Json& json, const FieldDescriptor& field, const std::string& path, int& value) {
  if (json.is_number_integer()) {
    value = json.get<int>();
    return absl::OkStatus();
  }
  if (!json.is_string()) return Wrong(path, "a name");
  const auto& type = *field.enum_type();
  const EnumValueDescriptor* found =
      type.FindValueByName(absl::StrCat(EnumPrefix(type.name()), json.get_ref<const std::string&>()));
  // A value that a later version added.
  value = found == nullptr ? 0 : found->number();
  return absl::OkStatus();
}

absl::Status ReadScalar(const Json& json, const FieldDescriptor& field, const std::string& path, Scalar& value) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (!json.is_number() && !json.is_null()) return Wrong(path, "a number");
      value.number = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT32:
      if (!json.is_number_integer() || json.get<int64_t>() != static_cast<int32_t>(json.get<int64_t>())) {
        return Wrong(path, "a 32-bit integer");
      }
      value.integer = json.get<int64_t>();
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT64:
      if (!json.is_number_integer()) return Wrong(path, "an integer");
      value.integer = json.get<int64_t>();
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      if (!json.is_number_unsigned()) return Wrong(path, "a natural number");
      value.natural = json.get<uint64_t>();
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!json.is_boolean()) return Wrong(path, "true or false");
      value.truth = json.get<bool>();
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM:
      return ReadEnum(json, field, path, value.enumerator);
    case FieldDescriptor::CPPTYPE_STRING:
      if (!json.is_string()) return Wrong(path, "text");
      value.text = json.get<std::string>();
      if (field.type() == FieldDescriptor::TYPE_BYTES && !absl::Base64Unescape(json.get<std::string>(), &value.text)) {
        return Wrong(path, "base64");
      }
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return Wrong(path, "a value");
}

void SetScalar(const Scalar& value, const FieldDescriptor& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const bool add = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return add ? reflection.AddDouble(&message, &field, value.number)
                 : reflection.SetDouble(&message, &field, value.number);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return add ? reflection.AddFloat(&message, &field, static_cast<float>(value.number))
                 : reflection.SetFloat(&message, &field, static_cast<float>(value.number));
    case FieldDescriptor::CPPTYPE_INT32:
      return add ? reflection.AddInt32(&message, &field, static_cast<int32_t>(value.integer))
                 : reflection.SetInt32(&message, &field, static_cast<int32_t>(value.integer));
    case FieldDescriptor::CPPTYPE_INT64:
      return add ? reflection.AddInt64(&message, &field, value.integer)
                 : reflection.SetInt64(&message, &field, value.integer);
    case FieldDescriptor::CPPTYPE_UINT32:
      return add ? reflection.AddUInt32(&message, &field, static_cast<uint32_t>(value.natural))
                 : reflection.SetUInt32(&message, &field, static_cast<uint32_t>(value.natural));
    case FieldDescriptor::CPPTYPE_UINT64:
      return add ? reflection.AddUInt64(&message, &field, value.natural)
                 : reflection.SetUInt64(&message, &field, value.natural);
    case FieldDescriptor::CPPTYPE_BOOL:
      return add ? reflection.AddBool(&message, &field, value.truth)
                 : reflection.SetBool(&message, &field, value.truth);
    case FieldDescriptor::CPPTYPE_ENUM:
      return add ? reflection.AddEnumValue(&message, &field, value.enumerator)
                 : reflection.SetEnumValue(&message, &field, value.enumerator);
    case FieldDescriptor::CPPTYPE_STRING:
      return add ? reflection.AddString(&message, &field, value.text)
                 : reflection.SetString(&message, &field, value.text);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

absl::Status ReadMessage(const Json& json, const std::string& path, Message& message);

absl::Status ReadElement(const Json& json, const FieldDescriptor& field, const std::string& path, Message& message) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const Reflection& reflection = *message.GetReflection();
    return ReadMessage(
        json, path,
        field.is_repeated() ? *reflection.AddMessage(&message, &field) : *reflection.MutableMessage(&message, &field));
  }
  Scalar value;
  TERSOR_RETURN_IF_ERROR(ReadScalar(json, field, path, value));
  SetScalar(value, field, message);
  return absl::OkStatus();
}

// Keys are text in JSON, whatever they are in the map.
absl::Status ReadMap(const Json& json, const FieldDescriptor& field, const std::string& path, Message& message) {
  if (!json.is_object()) return Wrong(path, "a mapping");
  const FieldDescriptor& key_field = *field.message_type()->map_key();
  for (const auto& [key, value] : json.items()) {
    Message& entry = *message.GetReflection()->AddMessage(&message, &field);
    Scalar scalar;
    scalar.text = key;
    if (key_field.cpp_type() != FieldDescriptor::CPPTYPE_STRING && !absl::SimpleAtoi(key, &scalar.integer)) {
      return Wrong(absl::StrCat(path, ".", key), "a number");
    }
    SetScalar(scalar, key_field, entry);
    TERSOR_RETURN_IF_ERROR(ReadElement(value, *field.message_type()->map_value(), absl::StrCat(path, ".", key), entry));
  }
  return absl::OkStatus();
}

absl::Status ReadField(const Json& json, const FieldDescriptor& field, const std::string& path, Message& message) {
  if (field.is_map()) return ReadMap(json, field, path, message);
  if (!field.is_repeated()) return ReadElement(json, field, path, message);
  if (!json.is_array()) return Wrong(path, "a list");
  for (size_t i = 0; i < json.size(); ++i) {
    TERSOR_RETURN_IF_ERROR(ReadElement(json[i], field, absl::StrCat(path, "[", i, "]"), message));
  }
  return absl::OkStatus();
}

// JSON has no infinity: an end that is not a number is one that is not bounded.
void OpenEnds(Message& message) {
  auto* interval = google::protobuf::DynamicCastToGenerated<v1::Interval>(&message);
  if (interval == nullptr) return;
  if (std::isnan(interval->low())) interval->set_low(-std::numeric_limits<double>::infinity());
  if (std::isnan(interval->high())) interval->set_high(std::numeric_limits<double>::infinity());
}

absl::Status ReadMessage(const Json& json, const std::string& path, Message& message) {
  if (!json.is_object()) return Wrong(path.empty() ? "the document" : path, "a mapping");
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    const auto it = json.find(field.name());
    if (it == json.end()) continue;
    TERSOR_RETURN_IF_ERROR(
        ReadField(*it, field, path.empty() ? field.name() : absl::StrCat(path, ".", field.name()), message));
  }
  OpenEnds(message);
  return absl::OkStatus();
}

}  // namespace

absl::Status MessageFromJson(absl::string_view json, google::protobuf::Message& message) {
  const Json document = Json::parse(json.begin(), json.end(), nullptr, false);
  if (document.is_discarded()) return absl::InvalidArgumentError("it is not JSON");
  return ReadMessage(document, "", message);
}

absl::StatusOr<v1::Report> ReportFromJson(absl::string_view json) {
  v1::Report report;
  TERSOR_RETURN_IF_ERROR(MessageFromJson(json, report));
  if (report.tersor_version().empty() && report.verdict() == v1::VERDICT_UNSPECIFIED) {
    return absl::InvalidArgumentError("it is no report: it has neither \"tersor_version\" nor \"verdict\"");
  }
  return report;
}

}  // namespace tersor
