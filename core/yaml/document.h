// A parsed YAML or JSON text as a tree that knows where everything stands.
#ifndef TERSOR_CORE_YAML_DOCUMENT_H_
#define TERSOR_CORE_YAML_DOCUMENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/yaml/source_map.h"

namespace tersor {

struct DocumentNode;
// Shared, because an alias stands for the node of its anchor.
using DocumentNodePtr = std::shared_ptr<DocumentNode>;

struct DocumentNode {
  enum class Kind { kNull, kScalar, kSequence, kMapping };
  struct Entry {
    std::string key;
    SourcePosition position;
    DocumentNodePtr value;
  };

  Kind kind = Kind::kNull;
  SourcePosition position;
  // Of a scalar; `quoted` ones are text even where they look like numbers.
  std::string text;
  bool quoted = false;
  std::vector<DocumentNodePtr> items;
  // In the order of the file, duplicates included.
  std::vector<Entry> entries;
};

// Text from a file as messages show it: control characters escaped, at most 60 bytes.
std::string ShownText(absl::string_view text);

// "the text \"four\"", "a list", "a mapping", "nothing".
std::string DescribeNode(const DocumentNode& node);

// Limits on what a stranger's file may make the parser do.
struct DocumentLimits {
  size_t bytes = 1 << 20;
  int depth = 32;
  // Nodes after aliases are expanded.
  size_t nodes = 50000;
};

// The one document of `text` (JSON is read as the YAML that it is), or null when there is none or it cannot be read.
// Faults are added to `faults`; never throws.
DocumentNodePtr ParseYaml(absl::string_view text, const DocumentLimits& limits, std::vector<DocumentFault>& faults);

}  // namespace tersor

#endif  // TERSOR_CORE_YAML_DOCUMENT_H_
