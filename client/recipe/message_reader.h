// Any protobuf message from a document, with every fault found on the way.
#ifndef TERSOR_CLIENT_RECIPE_MESSAGE_READER_H_
#define TERSOR_CLIENT_RECIPE_MESSAGE_READER_H_

#include <vector>

#include "client/recipe/document.h"
#include "client/recipe/source_map.h"
#include "google/protobuf/message.h"

namespace tersor::client {

// Fills `message` by reflection from `node`, a mapping. Spellings beside protobuf's own: a oneof called "method" may be
// flat (`method: gptq` and its options as neighbours), a list of one may be written as its value, enums have short
// lower-case names, an empty value makes an empty message. Every oneof must be decided. Faulty fields are left unset;
// positions of all fields read go to `positions`, faults to `faults`.
void ReadMessage(const DocumentNode& node, SourceMap& positions, std::vector<RecipeFault>& faults,
                 google::protobuf::Message& message);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_RECIPE_MESSAGE_READER_H_
