// Where in a text each field stands, so that a fault found by any part of Tersor gets its line.
#ifndef TERSOR_CORE_YAML_SOURCE_MAP_H_
#define TERSOR_CORE_YAML_SOURCE_MAP_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor {

// Both count from 1; columns count bytes.
struct SourcePosition {
  int line = 1;
  int column = 1;
};

SourcePosition PositionOfByte(absl::string_view text, size_t offset);

// A field under its two names. `canonical` follows the message ("stages[0].quantize.gptq.bits"), `spelled` what the
// writer sees in the file ("stages[0].quantize.bits").
struct FieldPath {
  std::string canonical;
  std::string spelled;

  FieldPath Child(absl::string_view name) const;
  // A child of the message that has no level of its own in the file.
  FieldPath HiddenChild(absl::string_view name) const;
  FieldPath Item(int index) const;
  FieldPath HiddenItem(int index) const;
};

// One thing wrong with a text. `field` is empty for faults of syntax.
struct DocumentFault {
  std::string field;
  std::string description;
  SourcePosition position;
};

// Thread-compatible.
class SourceMap {
 public:
  void Add(const FieldPath& path, SourcePosition position);
  bool Contains(absl::string_view field) const;

  // `field` in either form. A field that the file does not have (a default) stands where the nearest enclosing one
  // does.
  DocumentFault Locate(absl::string_view field, absl::string_view description) const;

 private:
  struct Entry {
    SourcePosition position;
    std::string spelled;
  };
  const Entry* Find(absl::string_view field) const;

  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::string, std::less<>> canonical_by_spelled_;
};

// "recipe.yaml:7:12: stages[0].quantize.bits: must be 2..8".
std::string FormatFault(absl::string_view file, const DocumentFault& fault);

// By line, then column; equal ones once.
void SortFaults(std::vector<DocumentFault>& faults);

}  // namespace tersor

#endif  // TERSOR_CORE_YAML_SOURCE_MAP_H_
