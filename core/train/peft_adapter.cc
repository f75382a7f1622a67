#include "core/train/peft_adapter.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/input_file.h"
#include "core/base/temporary_folder.h"
#include "core/formats/json_fields.h"
#include "core/formats/json_text.h"
#include "core/formats/safetensors.h"

namespace tersor {
namespace {

using nlohmann::json;

constexpr absl::string_view kConfigFile = "adapter_config.json", kWeightsFile = "adapter_model.safetensors";

std::string DownName(const Adapter& adapter) {
  return absl::StrCat("base_model.model.", adapter.module, ".lora_A.weight");
}
std::string UpName(const Adapter& adapter) {
  return absl::StrCat("base_model.model.", adapter.module, ".lora_B.weight");
}

// Calls copy(part, row of the part, row of the module's factor) for all rows.
template <typename Copy>
void ForUpRows(const Adapter& adapter, const Copy& copy) {
  for (const Adapter::Part& part : adapter.parts) {
    for (int64_t row = 0; row < part.up->rows; ++row) {
      copy(part, row, part.first + row / part.run * part.stride + row % part.run);
    }
  }
}

std::vector<float> UpValues(const Adapter& adapter) {
  const int64_t rank = adapter.down->rows;
  std::vector<float> values(adapter.outputs * rank);
  ForUpRows(adapter, [&](const Adapter::Part& part, int64_t row, int64_t at) {
    std::copy_n(part.up->values.data() + row * rank, rank, values.data() + at * rank);
  });
  return values;
}

json ConfigOf(const LoraOptions& options, std::span<const Adapter> adapters, absl::string_view base_model) {
  std::set<std::string> targets;
  bool transposed = false;
  for (const Adapter& adapter : adapters) {
    targets.insert(adapter.module.substr(adapter.module.rfind('.') + 1));
    transposed |= adapter.transposed;
  }
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"base_model_name_or_path", std::string(base_model)},
          {"inference_mode", true},
          {"r", options.rank},
          {"lora_alpha", options.alpha},
          {"lora_dropout", 0.0},
          {"use_rslora", options.rank_stabilized},
          {"use_dora", false},
          {"fan_in_fan_out", transposed},
          {"bias", "none"},
          {"target_modules", targets}};
}

absl::Status RefuseWhatIsNotPlain(const JsonFields& fields) {
  const auto unimplemented = [](absl::string_view what) {
    return absl::UnimplementedError(
        absl::StrCat(kConfigFile, ": ", what, "; only plain LoRA on all linear layers of the blocks is read"));
  };
  TERSOR_ASSIGN_OR_RETURN(const std::string type, fields.StringOr("peft_type", ""));
  if (type != "LORA") return unimplemented(absl::StrCat("peft_type \"", type, "\""));
  TERSOR_ASSIGN_OR_RETURN(const std::string bias, fields.StringOr("bias", "none"));
  if (bias != "none") return unimplemented(absl::StrCat("trained biases (\"", bias, "\")"));
  TERSOR_ASSIGN_OR_RETURN(const bool dora, fields.BoolOr("use_dora", false));
  if (dora) return unimplemented("DoRA");
  for (const char* key : {"rank_pattern", "alpha_pattern", "modules_to_save", "layers_to_transform"}) {
    const json* value = fields.Find(key);
    if (value != nullptr && !value->empty()) return unimplemented(key);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WritePeftAdapter(const std::filesystem::path& folder, const LoraOptions& options,
                              std::span<const Adapter> adapters, absl::string_view base_model) {
  std::map<std::string, std::pair<Shape, std::vector<float>>> tensors;
  for (const Adapter& adapter : adapters) {
    const Parameter& down = *adapter.down;
    tensors[DownName(adapter)] = {{down.rows, down.columns}, down.values};
    tensors[UpName(adapter)] = {{adapter.outputs, down.rows}, UpValues(adapter)};
  }
  std::vector<TensorDeclaration> declarations;
  for (const auto& [name, tensor] : tensors) declarations.push_back({name, DType::kF32, tensor.first});
  TERSOR_ASSIGN_OR_RETURN(TemporaryFolder temporary, TemporaryFolder::Create(folder));
  TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                          SafetensorsWriter::Create(temporary.path() / std::string(kWeightsFile),
                                                    std::move(declarations), {{"format", "pt"}}));
  for (const TensorDeclaration& declaration : writer.order()) {
    TERSOR_RETURN_IF_ERROR(writer.Append(std::as_bytes(std::span<const float>(tensors[declaration.name].second))));
  }
  TERSOR_RETURN_IF_ERROR(writer.Finish());
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(temporary.path() / std::string(kConfigFile),
                                             JsonText(ConfigOf(options, adapters, base_model), 2) + "\n"));
  return temporary.Commit();
}

absl::StatusOr<LoraOptions> ReadPeftOptions(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / std::string(kConfigFile);
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadInputFile(path, uint64_t{1} << 20));
  TERSOR_ASSIGN_OR_RETURN(const json config, ParseJsonObject(text, path.string()));
  const JsonFields fields(config);
  TERSOR_RETURN_IF_ERROR(RefuseWhatIsNotPlain(fields));
  LoraOptions options;
  TERSOR_ASSIGN_OR_RETURN(const int64_t rank, fields.Integer("r", 1, 1 << 20));
  options.rank = static_cast<int>(rank);
  TERSOR_ASSIGN_OR_RETURN(options.alpha, fields.Number("lora_alpha"));
  TERSOR_ASSIGN_OR_RETURN(options.rank_stabilized, fields.BoolOr("use_rslora", false));
  return options;
}

absl::Status ReadPeftFactors(const std::filesystem::path& folder, std::span<const Adapter> adapters) {
  const std::filesystem::path path = folder / std::string(kWeightsFile);
  TERSOR_ASSIGN_OR_RETURN(const Safetensors file, ReadSafetensors(path));
  const auto read = [&](const std::string& name, const Shape& shape) -> absl::StatusOr<std::vector<float>> {
    TERSOR_ASSIGN_OR_RETURN(const Tensor tensor, file.Find(name));
    if (tensor.shape() != shape) {
      return absl::InvalidArgumentError(absl::StrCat(path.string(), ": tensor ", name, " has shape ",
                                                     ShapeString(tensor.shape()), ", not ", ShapeString(shape)));
    }
    std::vector<float> values(tensor.elements());
    TERSOR_RETURN_IF_ERROR(DecodeToFloat(tensor, 0, tensor.elements(), values.data()));
    return values;
  };
  std::map<std::string, std::vector<float>> factors;
  for (const Adapter& adapter : adapters) {
    const int64_t rank = adapter.down->rows;
    TERSOR_ASSIGN_OR_RETURN(factors[DownName(adapter)], read(DownName(adapter), {rank, adapter.down->columns}));
    TERSOR_ASSIGN_OR_RETURN(factors[UpName(adapter)], read(UpName(adapter), {adapter.outputs, rank}));
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (factors.count(name) > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), ": tensor ", name, " belongs to no linear layer of this model's blocks"));
  }
  for (const Adapter& adapter : adapters) {
    const int64_t rank = adapter.down->rows;
    adapter.down->values = std::move(factors[DownName(adapter)]);
    const std::vector<float>& up = factors[UpName(adapter)];
    ForUpRows(adapter, [&](const Adapter::Part& part, int64_t row, int64_t at) {
      std::copy_n(up.data() + at * rank, rank, part.up->values.data() + row * rank);
    });
  }
  return absl::OkStatus();
}

}  // namespace tersor
