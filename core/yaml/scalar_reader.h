// One value of a text into one field of its message.
#ifndef TERSOR_CORE_YAML_SCALAR_READER_H_
#define TERSOR_CORE_YAML_SCALAR_READER_H_

#include <string>

#include "core/yaml/document.h"
#include "google/protobuf/message.h"

namespace tersor {

// Sets `field` (adds to it, where it is repeated) from `node`. Answers what is wrong with the value, or "". Numbers are
// decimal and in range, booleans are true or false, quoted text is text alone. Not for message fields.
std::string ReadScalar(const DocumentNode& node, const google::protobuf::FieldDescriptor& field,
                       google::protobuf::Message& message);

}  // namespace tersor

#endif  // TERSOR_CORE_YAML_SCALAR_READER_H_
