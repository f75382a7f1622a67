// GGUF: from bytes to parameters, decoding a row of each tensor.
#include <vector>

#include "core/formats/gguf_reader.h"
#include "core/model/gguf_assets.h"
#include "core/model/gguf_spec.h"
#include "core/model/parameter_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tersor;
  absl::StatusOr<GgufFile> file =
      ParseGguf(std::as_bytes(std::span<const uint8_t>(data, size)), /*owner=*/nullptr, "fuzz.gguf");
  if (!file.ok()) return 0;
  for (const auto& [name, tensor] : file->tensors) {
    std::vector<float> row(static_cast<size_t>(tensor->columns()));
    tensor->DecodeRows(tensor->rows() - 1, 1, row.data());
  }
  const absl::StatusOr<ModelSpec> spec = SpecFromGguf(*file);
  if (!spec.ok()) return 0;
  std::vector<tersor::SourceWarning> warnings;
  AssetsFromGguf(file->metadata, *spec, warnings).status().IgnoreError();
  const absl::StatusOr<TensorMap> parameters = TakeGgufParameters(*spec, std::move(file->tensors));
  if (!parameters.ok()) return 0;
  for (const auto& [name, tensor] : *parameters) tensor->Decode();
  return 0;
}
