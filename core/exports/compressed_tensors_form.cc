#include "core/exports/compressed_tensors_form.h"

#include "absl/strings/str_cat.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/float_token_format.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/int_token_format.h"

namespace tersor {
namespace {

constexpr int64_t kNvBlock = 16, kMxBlock = 32;

nlohmann::json Arguments(int bits, const char* type, bool symmetric) {
  return {{"num_bits", bits},       {"type", type},
          {"symmetric", symmetric}, {"dynamic", false},
          {"actorder", nullptr},    {"block_structure", nullptr},
          {"observer", "minmax"},   {"observer_kwargs", nlohmann::json::object()}};
}

nlohmann::json WeightArguments(int bits, const char* type, bool symmetric, const char* strategy, int64_t group_size) {
  nlohmann::json arguments = Arguments(bits, type, symmetric);
  arguments["strategy"] = strategy;
  arguments["group_size"] = group_size > 0 ? nlohmann::json(group_size) : nlohmann::json(nullptr);
  return arguments;
}

nlohmann::json TokenArguments(int bits, const char* type, bool symmetric) {
  nlohmann::json arguments = WeightArguments(bits, type, symmetric, "token", 0);
  arguments["dynamic"] = true;
  arguments["observer"] = nullptr;
  return arguments;
}

absl::Status NoWords(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("has no words for ", what));
}

CompressedTensorsForm Integers(const StoredForm& form, bool channel, const nlohmann::json& inputs) {
  const bool bytes = !inputs.is_null() && inputs["type"] == "int";
  return {bytes ? "int-quantized" : "pack-quantized",
          WeightArguments(bytes ? form.bits : PackedBits(form.bits), "int", form.symmetric,
                          channel ? "channel" : "group", channel ? 0 : form.group_size),
          inputs};
}

absl::StatusOr<CompressedTensorsForm> Floats(const StoredForm& form, bool channel, const nlohmann::json& inputs) {
  const bool powers = form.scales == ScaleFormName(ScaleForm::kE8m0) && form.group_size == kMxBlock;
  if (form.book == E4m3Book().name()) {
    if (!inputs.is_null() && inputs["type"] == "int") return NoWords("float weights with integer inputs");
    if (powers && inputs.is_null()) {
      return CompressedTensorsForm{"mxfp8-quantized", WeightArguments(8, "float", true, "group", kMxBlock), inputs};
    }
    return CompressedTensorsForm{
        "float-quantized",
        WeightArguments(8, "float", true, channel ? "channel" : "group", channel ? 0 : form.group_size), inputs};
  }
  if (form.book != E2m1Book().name()) return NoWords(absl::StrCat("the code book ", form.book));
  if (!inputs.is_null()) return NoWords("4-bit floats with such inputs");
  if (powers) {
    return CompressedTensorsForm{"mxfp4-pack-quantized", WeightArguments(4, "float", true, "group", kMxBlock), inputs};
  }
  if (form.scales == ScaleFormName(ScaleForm::kE4m3Over) && form.group_size == kNvBlock) {
    return CompressedTensorsForm{"nvfp4-pack-quantized", WeightArguments(4, "float", true, "tensor_group", kNvBlock),
                                 inputs};
  }
  return NoWords(absl::StrCat("e2m1 in groups of ", form.group_size, " with scales in ", form.scales,
                              ", only for MXFP4's and NVFP4's"));
}

}  // namespace

int PackedBits(int bits) { return bits <= 4 ? 4 : 8; }

absl::StatusOr<nlohmann::json> CompressedTensorsInputs(const StoredForm& form) {
  if (form.input_format.empty()) return nlohmann::json();
  const nlohmann::json parameters = nlohmann::json::parse(form.input_parameters, nullptr, /*allow_exceptions=*/false);
  const bool token = parameters.is_object() && parameters.value("group_size", nlohmann::json()) == -1;
  if (token && form.input_format == IntTokenFormat::kName && parameters.value("outlier_threshold", 0.0) == 0) {
    return TokenArguments(parameters.value("bits", 8), "int", parameters.value("symmetric", true));
  }
  if (token && form.input_format == FloatTokenFormat::kName && parameters.value("book", "") == E4m3Book().name() &&
      parameters.value("scales", "") == ScaleFormName(ScaleForm::kF32)) {
    return TokenArguments(8, "float", true);
  }
  return NoWords(absl::StrCat("inputs in ", form.input_format, " ", form.input_parameters));
}

absl::StatusOr<CompressedTensorsForm> CompressedTensorsFormOf(const StoredForm& form, int64_t columns, bool channels) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json inputs, CompressedTensorsInputs(form));
  const bool channel = channels && form.group_size == columns;
  if (form.encoding == GroupIntTensor::kName) return Integers(form, channel, inputs);
  if (form.encoding == CodebookTensor::kName) return Floats(form, channel, inputs);
  return NoWords(absl::StrCat("the encoding ", form.encoding));
}

}  // namespace tersor
