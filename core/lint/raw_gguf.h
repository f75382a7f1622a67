// A GGUF file's tensor table and blocks, read once more by code of its own. Private to core/lint.
#ifndef TERSOR_CORE_LINT_RAW_GGUF_H_
#define TERSOR_CORE_LINT_RAW_GGUF_H_

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/formats/gguf_value.h"
#include "core/lint/findings.h"
#include "core/model/model.h"
#include "core/tensor/mapped_file.h"

namespace tersor {

struct RawGgufTensor {
  uint32_t type = 0;
  // Row-major: [rows, columns].
  int64_t rows = 1;
  int64_t columns = 1;
  std::span<const std::byte> bytes;

  // The value at a place of the file's own order of rows.
  double Value(int64_t row, int64_t column) const;
};

// GGUF's number of a type that is decoded here, by its name ("Q4_1"), and the bytes of a row in it; no type's number,
// and 0, for others and for rows that are no whole blocks.
uint32_t RawGgufType(absl::string_view name);
int64_t RawGgufRowBytes(uint32_t type, int64_t columns);

struct RawGguf {
  // What the tensors point into.
  std::vector<std::shared_ptr<const MappedFile>> files;
  GgufMetadata metadata;
  std::map<std::string, RawGgufTensor, std::less<>> tensors;
};

// What can be read of the file; what is wrong with it goes to `findings`.
RawGguf ReadRawGguf(const std::filesystem::path& path, Findings& findings);

// The order of q and k rows. `reference` may be null.
void CheckRopeRows(const RawGguf& raw, const Model& model, const Model* reference, Findings& findings);

// Decodes rows of every tensor and compares them with `model`'s; adds to `compared`.
void CompareGguf(const RawGguf& raw, const Model& model, Findings& findings, int64_t& compared);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_RAW_GGUF_H_
