// A chat template from a stranger's model.
#include <cstddef>
#include <cstdint>

#include "core/chat/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parsed = tersor::ChatTemplate::Parse({reinterpret_cast<const char*>(data), size});
  if (!parsed.ok()) return 0;
  parsed
      ->Render({{"system", "Be brief."}, {"user", "hi"}},
               {.bos_token = "<s>", .eos_token = "</s>", .tools_json = R"([{"name": "f"}])"})
      .status()
      .IgnoreError();
  return 0;
}
