#include "core/lint/raw_layers.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tersor {
namespace {

// Where column c of eight stands in a word of AWQ.
constexpr std::array<int, 8> kAwqPlace = {0, 4, 1, 5, 2, 6, 3, 7};

std::vector<int64_t> EqualRuns(int64_t inputs, int64_t groups) {
  const int64_t size = (inputs + groups - 1) / groups;
  std::vector<int64_t> group_of(static_cast<size_t>(inputs));
  for (int64_t i = 0; i < inputs; ++i) group_of[i] = i / size;
  return group_of;
}

bool IsWords(const RawTensor* tensor, int64_t rows, int64_t columns) {
  return tensor != nullptr && tensor->dtype == "I32" && tensor->shape == std::vector<int64_t>{rows, columns} &&
         tensor->bytes.size() == static_cast<size_t>(rows * columns * 4);
}

bool IsNumbers(const RawTensor* tensor) {
  return tensor != nullptr && tensor->shape.size() == 2 && tensor->dimension(0) > 0 && tensor->dimension(1) > 0 &&
         (tensor->dtype == "F16" || tensor->dtype == "BF16" || tensor->dtype == "F32") &&
         tensor->bytes.size() ==
             static_cast<size_t>(tensor->dimension(0) * tensor->dimension(1) * RawSize(tensor->dtype));
}

}  // namespace

int BitsAt(const RawTensor& words, int64_t first, int64_t stride, int64_t bit, int bits) {
  int value = 0;
  for (int i = 0; i < bits; ++i) {
    const uint32_t word = words.Word(first + (bit + i) / 32 * stride);
    value |= static_cast<int>(word >> ((bit + i) % 32) & 1u) << i;
  }
  return value;
}

std::vector<int64_t> IndexedGroups(const RawTensor* index, int64_t inputs, int64_t groups) {
  if (index == nullptr || index->dtype != "I32" || index->shape != std::vector<int64_t>{inputs}) {
    return EqualRuns(inputs, groups);
  }
  std::vector<int64_t> group_of(static_cast<size_t>(inputs));
  for (int64_t i = 0; i < inputs; ++i) {
    group_of[i] = static_cast<int32_t>(index->Word(i));
    if (group_of[i] < 0 || group_of[i] >= groups) return EqualRuns(inputs, groups);
  }
  return group_of;
}

std::vector<std::string> RawModules(const RawFolder& folder, absl::string_view suffix) {
  std::vector<std::string> modules;
  for (const auto& [name, tensor] : folder.tensors) {
    if (absl::EndsWith(name, suffix)) modules.emplace_back(absl::StripSuffix(name, suffix));
  }
  return modules;
}

int64_t IntegerOr(const nlohmann::json& object, const char* key, int64_t fallback) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : fallback;
}

Reading DeclaredGptqReading(const nlohmann::json& config) {
  const nlohmann::json format = config.value("checkpoint_format", config.value("format", nlohmann::json("gptq")));
  Reading reading;
  reading.zero_shift = format == "gptq_v2" ? 0 : 1;
  return reading;
}

std::vector<RawLayer> GptqLayers(const RawFolder& folder, const Reading& reading) {
  const nlohmann::json& config = folder.config["quantization_config"];
  std::vector<RawLayer> layers;
  for (const std::string& module : RawModules(folder, ".qweight")) {
    const RawTensor* codes = folder.Find(module + ".qweight");
    const RawTensor* zeros = folder.Find(module + ".qzeros");
    const RawTensor* scales = folder.Find(module + ".scales");
    const RawTensor* index = folder.Find(module + ".g_idx");
    RawLayer layer;
    layer.module = module;
    layer.has_zeros = true;
    if (!IsNumbers(scales)) continue;
    layer.groups = scales->dimension(0);
    layer.outputs = scales->dimension(1);
    const int64_t bits = IntegerOr(config, "bits", 4);
    layer.inputs = index != nullptr && index->shape.size() == 1 ? index->dimension(0)
                   : bits > 0                                   ? codes->dimension(0) * 32 / bits
                                                                : 0;
    if (layer.inputs < layer.groups || codes->dimension(0) * 32 % layer.inputs != 0) continue;
    layer.bits = static_cast<int>(codes->dimension(0) * 32 / layer.inputs);
    if (layer.bits < 2 || layer.bits > 8 || !IsWords(codes, layer.inputs * layer.bits / 32, layer.outputs) ||
        !IsWords(zeros, layer.groups, layer.outputs * layer.bits / 32)) {
      continue;
    }
    layer.group_of =
        reading.plain_groups ? EqualRuns(layer.inputs, layer.groups) : IndexedGroups(index, layer.inputs, layer.groups);
    layer.code = [codes, outputs = layer.outputs, b = layer.bits](int64_t o, int64_t i) {
      return BitsAt(*codes, o, outputs, i * b, b);
    };
    layer.zero = [zeros, width = zeros->dimension(1), b = layer.bits, shift = reading.zero_shift](
                     int64_t o, int64_t g) { return BitsAt(*zeros, g * width, 1, o * b, b) + shift; };
    layer.scale = [scales, outputs = layer.outputs](int64_t o, int64_t g) { return scales->Number(g * outputs + o); };
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::vector<RawLayer> AwqLayers(const RawFolder& folder, const Reading& reading) {
  std::vector<RawLayer> layers;
  for (const std::string& module : RawModules(folder, ".qweight")) {
    const RawTensor* codes = folder.Find(module + ".qweight");
    const RawTensor* zeros = folder.Find(module + ".qzeros");
    const RawTensor* scales = folder.Find(module + ".scales");
    if (!IsNumbers(scales)) continue;
    RawLayer layer;
    layer.module = module;
    layer.has_zeros = true;
    layer.groups = scales->dimension(0);
    layer.outputs = scales->dimension(1);
    layer.inputs = codes->dimension(0);
    const int64_t width = layer.outputs / 8;
    if (layer.inputs < layer.groups || layer.outputs % 8 != 0 || !IsWords(codes, layer.inputs, width) ||
        !IsWords(zeros, layer.groups, width)) {
      continue;
    }
    layer.group_of = EqualRuns(layer.inputs, layer.groups);
    const auto nibble = [width](const RawTensor& words, int64_t row, int64_t column, bool awq) {
      const int place = awq ? kAwqPlace[column % 8] : static_cast<int>(column % 8);
      return static_cast<int>(words.Word(row * width + column / 8) >> (4 * place) & 15u);
    };
    layer.code = [codes, nibble, awq = reading.awq_codes](int64_t o, int64_t i) { return nibble(*codes, i, o, awq); };
    layer.zero = [zeros, nibble, awq = reading.awq_zeros, shift = reading.zero_shift](int64_t o, int64_t g) {
      return nibble(*zeros, g, o, awq) + shift;
    };
    layer.scale = [scales, outputs = layer.outputs](int64_t o, int64_t g) { return scales->Number(g * outputs + o); };
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace tersor
