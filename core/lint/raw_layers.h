// Quantized linear layers decoded element by element, straight from the published layouts: slow, and sharing nothing
// with the readers that it checks. Private to core/lint.
#ifndef TERSOR_CORE_LINT_RAW_LAYERS_H_
#define TERSOR_CORE_LINT_RAW_LAYERS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/lint/raw_tensors.h"

namespace tersor {

// How the same bytes may be understood.
struct Reading {
  // Added to each stored zero point.
  int zero_shift = 0;
  // Whether the eight nibbles of a word of codes, of zero points, are in AWQ's order.
  bool awq_codes = false;
  bool awq_zeros = false;
  // Ignore g_idx.
  bool plain_groups = false;
  // compressed-tensors' nibbles, highest first.
  bool swapped = false;
};

// value(o, i) = (code(o, i) - zero(o, g)) * scale(o, g), g the group of input i; of floats number(o, i) * scale(o, g).
struct RawLayer {
  // "model.layers.0.mlp.down_proj".
  std::string module;
  int64_t outputs = 0;
  int64_t inputs = 0;
  int64_t groups = 1;
  int bits = 4;
  bool has_zeros = false;
  // Of codes that do not fill words: whether they run across them, or leave the rest of each unused. Nothing where the
  // number of words fits both.
  std::optional<bool> dense_words;
  std::function<int(int64_t output, int64_t input)> code;
  // Of floats alone, which have no code.
  std::function<double(int64_t output, int64_t input)> number;
  std::function<int(int64_t output, int64_t group)> zero;
  std::function<double(int64_t output, int64_t group)> scale;
  std::vector<int64_t> group_of;

  double Value(int64_t output, int64_t input) const {
    const int64_t group = group_of[input];
    if (number) return number(output, input) * scale(output, group);
    return (code(output, input) - zero(output, group)) * scale(output, group);
  }
};

// The layers of a folder that a reading of its configuration finds; the folder must outlive them. Layers whose tensors'
// shapes contradict each other are left out: reading the model names those.
std::vector<RawLayer> GptqLayers(const RawFolder& folder, const Reading& reading);
std::vector<RawLayer> AwqLayers(const RawFolder& folder, const Reading& reading);
std::vector<RawLayer> CompressedTensorsLayers(const RawFolder& folder, const Reading& reading);

// How a file labels itself.
Reading DeclaredGptqReading(const nlohmann::json& config);

// `bits` bits from bit `bit` of words that are `stride` apart, the first one at index `first`.
int BitsAt(const RawTensor& words, int64_t first, int64_t stride, int64_t bit, int bits);

// The groups of g_idx; equal runs where it is missing, out of range or of another length.
std::vector<int64_t> IndexedGroups(const RawTensor* index, int64_t inputs, int64_t groups);

// Modules with a tensor MODULE + suffix.
std::vector<std::string> RawModules(const RawFolder& folder, absl::string_view suffix);

// An integer of a configuration; the fallback where it is missing or no integer.
int64_t IntegerOr(const nlohmann::json& object, const char* key, int64_t fallback);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_RAW_LAYERS_H_
