#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "core/report/report_format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = nlohmann::ordered_json;

Json ToJson(const Message& message);

// "GateOutcome" -> "GATE_OUTCOME_".
std::string EnumPrefix(const std::string& type_name) {
  std::string prefix;
  for (size_t i = 0; i < type_name.size(); ++i) {
    if (i > 0 && absl::ascii_isupper(type_name[i])) prefix += '_';
    prefix += absl::ascii_toupper(type_name[i]);
  }
  return prefix + "_";
}

// A number that this program's proto does not name stays a number.
Json EnumToJson(const FieldDescriptor& field, int number) {
  const EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
  if (value == nullptr) return number;
  return std::string(absl::StripPrefix(value->name(), EnumPrefix(field.enum_type()->name())));
}

Json NumberToJson(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json TextToJson(const FieldDescriptor& field, const std::string& value) {
  return field.type() == FieldDescriptor::TYPE_BYTES ? absl::Base64Escape(value) : value;
}

Json SingularToJson(const Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberToJson(reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return NumberToJson(reflection.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumToJson(field, reflection.GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return TextToJson(field, reflection.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(reflection.GetMessage(message, &field));
  }
  return nullptr;
}

Json ElementToJson(const Message& message, const Reflection& reflection, const FieldDescriptor& field, int i) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetRepeatedInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetRepeatedInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetRepeatedUInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetRepeatedUInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberToJson(reflection.GetRepeatedDouble(message, &field, i));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return NumberToJson(reflection.GetRepeatedFloat(message, &field, i));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetRepeatedBool(message, &field, i);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumToJson(field, reflection.GetRepeatedEnumValue(message, &field, i));
    case FieldDescriptor::CPPTYPE_STRING:
      return TextToJson(field, reflection.GetRepeatedString(message, &field, i));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(reflection.GetRepeatedMessage(message, &field, i));
  }
  return nullptr;
}

// Keys are text in JSON, whatever they are in the map; a std::map puts them into one order.
Json MapToJson(const Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  std::map<std::string, Json> sorted;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const Json key = SingularToJson(entry, *entry.GetReflection(), *field.message_type()->map_key());
    sorted[key.is_string() ? key.get<std::string>() : key.dump()] =
        SingularToJson(entry, *entry.GetReflection(), *field.message_type()->map_value());
  }
  Json object = Json::object();
  for (auto& [key, value] : sorted) object[key] = std::move(value);
  return object;
}

Json FieldToJson(const Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  if (field.is_map()) return MapToJson(message, reflection, field);
  if (!field.is_repeated()) return SingularToJson(message, reflection, field);
  Json list = Json::array();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    list.push_back(ElementToJson(message, reflection, field, i));
  }
  return list;
}

Json TimestampToJson(const google::protobuf::Timestamp& time) {
  const absl::Time value = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ", value, absl::UTCTimeZone());
}

Json DurationToJson(const google::protobuf::Duration& duration) {
  return NumberToJson(static_cast<double>(duration.seconds()) + 1e-9 * duration.nanos());
}

Json ToJson(const Message& message) {
  using google::protobuf::DynamicCastToGenerated;
  if (const auto* time = DynamicCastToGenerated<google::protobuf::Timestamp>(&message)) return TimestampToJson(*time);
  if (const auto* span = DynamicCastToGenerated<google::protobuf::Duration>(&message)) return DurationToJson(*span);
  const Reflection& reflection = *message.GetReflection();
  Json object = Json::object();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.has_presence() && !reflection.HasField(message, &field)) continue;
    object[field.name()] = FieldToJson(message, reflection, field);
  }
  return object;
}

}  // namespace

std::string MessageToJson(const google::protobuf::Message& message, int indent) {
  // Bytes that are not UTF-8 become U+FFFD: the writer would throw otherwise.
  return ToJson(message).dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tersor
