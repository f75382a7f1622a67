// Recipes in protobuf's text format.
#ifndef TERSOR_CLIENT_RECIPE_TEXTPROTO_READER_H_
#define TERSOR_CLIENT_RECIPE_TEXTPROTO_READER_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/yaml/source_map.h"
#include "google/protobuf/message.h"

namespace tersor::client {

// As ReadMessage, from text format. Unknown fields are all reported; a fault of syntax ends the reading.
void ReadTextproto(absl::string_view text, SourceMap& positions, std::vector<DocumentFault>& faults,
                   google::protobuf::Message& message);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_RECIPE_TEXTPROTO_READER_H_
