// Adapters as PEFT stores them: adapter_config.json and adapter_model.safetensors.
// https://huggingface.co/docs/peft, "PEFT checkpoint format".
#ifndef TERSOR_CORE_TRAIN_PEFT_ADAPTER_H_
#define TERSOR_CORE_TRAIN_PEFT_ADAPTER_H_

#include <filesystem>
#include <span>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/train/adapter.h"

namespace tersor {

// A folder that PEFT loads onto `base_model` (a name or folder of the Hugging Face model); it appears whole or not at
// all.
absl::Status WritePeftAdapter(const std::filesystem::path& folder, const LoraOptions& options,
                              std::span<const Adapter> adapters, absl::string_view base_model);

// What MakeAdapters needs for the folder's adapter. UNIMPLEMENTED names what is not plain LoRA on all linear layers
// (DoRA, other tuners, trained biases, ranks by pattern).
absl::StatusOr<LoraOptions> ReadPeftOptions(const std::filesystem::path& folder);

// Sets the factors. INVALID_ARGUMENT names a tensor that is missing, has another shape, or is none of the adapters'.
absl::Status ReadPeftFactors(const std::filesystem::path& folder, std::span<const Adapter> adapters);

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_PEFT_ADAPTER_H_
