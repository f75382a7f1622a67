// The names that a message has for its writers, asked from the protobuf descriptors.
#ifndef TERSOR_CORE_YAML_MESSAGE_SCHEMA_H_
#define TERSOR_CORE_YAML_MESSAGE_SCHEMA_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace tersor {

// The field called `key`, in the proto's spelling or in JSON's (group_size, groupSize); null where there is none.
const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Descriptor& message, absl::string_view key);

std::vector<std::string> FieldNames(const google::protobuf::Descriptor& message);

// A message that has a oneof called "method" lets its options be written flat: `method: gptq` beside `bits: 4`. Null
// for other messages.
const google::protobuf::OneofDescriptor* MethodOneof(const google::protobuf::Descriptor& message);

// A message whose first field is a string called "name" may be written as that name alone: `tasks: [piqa]`. Null for
// other messages.
const google::protobuf::FieldDescriptor* NameField(const google::protobuf::Descriptor& message);

std::vector<std::string> OneofNames(const google::protobuf::OneofDescriptor& oneof);

// SCALE_SEARCH_MSE is "mse". The UNSPECIFIED value has no short name.
std::vector<std::string> ShortEnumNames(const google::protobuf::EnumDescriptor& type);
std::string ShortEnumName(const google::protobuf::EnumValueDescriptor& value);
// By short name in any case, or by full name; null where there is none.
const google::protobuf::EnumValueDescriptor* FindEnumValue(const google::protobuf::EnumDescriptor& type,
                                                           absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_YAML_MESSAGE_SCHEMA_H_
