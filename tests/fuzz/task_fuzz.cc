// A task's file and its items, both from strangers: the first line that is "---" parts the two.
#include <cstddef>
#include <cstdint>

#include "core/evaluate/tasks/task_definition.h"
#include "core/evaluate/tasks/task_item.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t split = text.find("\n---\n");
  const tersor::TaskFile file = tersor::ParseTask(text.substr(0, split), "t");
  const absl::string_view items = split == absl::string_view::npos ? "" : text.substr(split + 5);
  if (file.faults.empty()) tersor::ReadTaskItems(file.definition, items, "items", 0).status().IgnoreError();
  return 0;
}
