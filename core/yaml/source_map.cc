#include "core/yaml/source_map.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

std::string Join(absl::string_view parent, absl::string_view name) {
  return parent.empty() ? std::string(name) : absl::StrCat(parent, ".", name);
}

// "a.b[2].c" -> "a.b[2]" -> "a.b" -> "a" -> "".
absl::string_view Parent(absl::string_view field) {
  size_t cut = field.find_last_of(".[");
  return cut == absl::string_view::npos ? absl::string_view() : field.substr(0, cut);
}

}  // namespace

SourcePosition PositionOfByte(absl::string_view text, size_t offset) {
  absl::string_view before = text.substr(0, offset);
  size_t line_start = before.rfind('\n');
  line_start = line_start == absl::string_view::npos ? 0 : line_start + 1;
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

FieldPath FieldPath::Child(absl::string_view name) const { return {Join(canonical, name), Join(spelled, name)}; }
FieldPath FieldPath::HiddenChild(absl::string_view name) const { return {Join(canonical, name), spelled}; }
FieldPath FieldPath::Item(int index) const {
  return {absl::StrCat(canonical, "[", index, "]"), absl::StrCat(spelled, "[", index, "]")};
}
FieldPath FieldPath::HiddenItem(int index) const { return {absl::StrCat(canonical, "[", index, "]"), spelled}; }

void SourceMap::Add(const FieldPath& path, SourcePosition position) {
  entries_[path.canonical] = {position, path.spelled};
  canonical_by_spelled_.emplace(path.spelled, path.canonical);
}

const SourceMap::Entry* SourceMap::Find(absl::string_view field) const {
  if (auto it = entries_.find(field); it != entries_.end()) return &it->second;
  auto spelled = canonical_by_spelled_.find(field);
  return spelled == canonical_by_spelled_.end() ? nullptr : &entries_.find(spelled->second)->second;
}

bool SourceMap::Contains(absl::string_view field) const { return Find(field) != nullptr; }

DocumentFault SourceMap::Locate(absl::string_view field, absl::string_view description) const {
  for (absl::string_view prefix = field; !prefix.empty(); prefix = Parent(prefix)) {
    if (const Entry* entry = Find(prefix)) {
      return {absl::StrCat(entry->spelled, field.substr(prefix.size())), std::string(description), entry->position};
    }
  }
  return {std::string(field), std::string(description), {}};
}

std::string FormatFault(absl::string_view file, const DocumentFault& fault) {
  return absl::StrCat(file, ":", fault.position.line, ":", fault.position.column, ": ", fault.field,
                      fault.field.empty() ? "" : ": ", fault.description);
}

void SortFaults(std::vector<DocumentFault>& faults) {
  auto key = [](const DocumentFault& f) {
    return std::tie(f.position.line, f.position.column, f.field, f.description);
  };
  std::sort(faults.begin(), faults.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  faults.erase(
      std::unique(faults.begin(), faults.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
      faults.end());
}

}  // namespace tersor
