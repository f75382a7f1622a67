// config.json: whatever is accepted can be written, and reads back as itself.
#include <cstdlib>

#include "core/model/architecture.h"
#include "core/model/config_json.h"
#include "core/model/model_spec_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tersor;
  const absl::StatusOr<ModelSpec> spec =
      SpecFromConfigJson(absl::string_view(reinterpret_cast<const char*>(data), size), "config.json");
  if (!spec.ok()) return 0;
  if (!ModelParameters(*spec).ok()) std::abort();
  const absl::StatusOr<std::string> text = ConfigJson(*spec, "float32");
  if (!text.ok()) return 0;
  const absl::StatusOr<ModelSpec> again = SpecFromConfigJson(*text, "written");
  if (!again.ok() || SpecToJson(*again) != SpecToJson(*spec)) std::abort();
  return 0;
}
