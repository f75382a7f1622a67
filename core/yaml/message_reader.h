// Any protobuf message from a document, with every fault found on the way.
#ifndef TERSOR_CORE_YAML_MESSAGE_READER_H_
#define TERSOR_CORE_YAML_MESSAGE_READER_H_

#include <vector>

#include "core/yaml/document.h"
#include "core/yaml/source_map.h"
#include "google/protobuf/message.h"

namespace tersor {

// Fills `message` by reflection from `node`, a mapping. Spellings beside protobuf's own: a oneof called "method" may be
// flat (`method: gptq` and its options as neighbours), a list of one may be
// written as its value, a message that begins with a name as that name, enums have short
// lower-case names, an empty value makes an empty message. Every oneof must be decided. Faulty fields are left unset;
// positions of all fields read go to `positions`, faults to `faults`.
void ReadMessage(const DocumentNode& node, SourceMap& positions, std::vector<DocumentFault>& faults,
                 google::protobuf::Message& message);

}  // namespace tersor

#endif  // TERSOR_CORE_YAML_MESSAGE_READER_H_
