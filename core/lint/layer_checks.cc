#include "core/lint/layer_checks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace tersor {
namespace {

constexpr int64_t kSampledRows = 24;
// A misread layer lies this much farther from the original than a rightly read one: its error is that of noise, not of
// rounding.
constexpr double kClearlyBetter = 0.5;
// Trained weights have a mean near zero in every group; in steps of the grid, a zero point that is off by one shows as
// a mean of one.
constexpr double kShiftedMean = 0.6;

int64_t Stride(int64_t count) { return std::max<int64_t>(1, count / kSampledRows); }

struct MeanOfSteps {
  double mean = 0;
  // Of the mean, for values that do not depend on one another.
  double standard_error = 0;
};

// Mean of code - zero point over sampled outputs.
MeanOfSteps MeanStep(const RawLayer& layer) {
  double sum = 0, squares = 0, count = 0;
  for (int64_t o = 0; o < layer.outputs; o += Stride(layer.outputs)) {
    for (int64_t i = 0; i < layer.inputs; ++i, ++count) {
      const double step = layer.code(o, i) - layer.zero(o, layer.group_of[i]);
      sum += step;
      squares += step * step;
    }
  }
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean) / count)};
}

// Correlation over (output, group) of the group's mean code with its zero point; 0 where one of them does not vary.
double CodesFollowZeros(const RawLayer& layer) {
  double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (int64_t o = 0; o < layer.outputs; ++o) {
    std::vector<double> sums(static_cast<size_t>(layer.groups)), counts(sums.size());
    // A few inputs of each group tell enough.
    for (int64_t i = 0; i < layer.inputs; ++i) {
      if (counts[layer.group_of[i]] >= 32) continue;
      sums[layer.group_of[i]] += layer.code(o, i);
      counts[layer.group_of[i]] += 1;
    }
    for (int64_t g = 0; g < layer.groups; ++g) {
      if (counts[g] == 0) continue;
      const double x = sums[g] / counts[g], y = layer.zero(o, g);
      n += 1, sx += x, sy += y, sxx += x * x, syy += y * y, sxy += x * y;
    }
  }
  const double vx = sxx - sx * sx / n, vy = syy - sy * sy / n;
  return vx > 1e-9 && vy > 1e-9 ? (sxy - sx * sy / n) / std::sqrt(vx * vy) : 0;
}

const RawLayer* Find(const std::vector<RawLayer>& layers, const std::string& module) {
  const auto found =
      std::find_if(layers.begin(), layers.end(), [&](const RawLayer& layer) { return layer.module == module; });
  return found == layers.end() ? nullptr : &*found;
}

// Whether `other` reads the layer clearly better than `declared`, by the reference.
bool Better(const RawLayer* other, double declared, const Model* reference) {
  if (other == nullptr || reference == nullptr || declared < 0) return false;
  const double error = ErrorAgainst(*other, *reference);
  return error >= 0 && error < kClearlyBetter * declared;
}

struct ZeroFault {
  // What must be added to the zero points as they are read; 0: nothing.
  int correction = 0;
  std::string why;
};

// All of a symmetric file's zero points are the middle of the grid.
ZeroFault SymmetricZeros(const RawLayer& layer) {
  const int middle = 1 << (layer.bits - 1);
  const int first = layer.zero(0, 0);
  for (int64_t o = 0; o < layer.outputs; ++o) {
    for (int64_t g = 0; g < layer.groups; ++g) {
      if (layer.zero(o, g) != first) return {};
    }
  }
  if (first != middle + 1 && first != middle - 1) return {};
  return {middle - first,
          absl::StrCat("the configuration says \"sym\", and all zero points read as ", first, " instead of ", middle)};
}

ZeroFault ZerosByReference(const RawFolder& folder, const RawLayer& layer, const Reading& declared, double error,
                           const Model* reference) {
  for (const int correction : {-1, 1}) {
    Reading other = declared;
    other.zero_shift += correction;
    const std::vector<RawLayer> layers = GptqLayers(folder, other);
    if (Better(Find(layers, layer.module), error, reference)) {
      return {correction, "with zero points one off, the layer lies at less than half the distance from the reference"};
    }
  }
  return {};
}

ZeroFault ShiftedZeros(const RawLayer& layer) {
  const auto [mean, standard_error] = MeanStep(layer);
  // With many bits, or few weights, a mean of one step says nothing.
  if (standard_error > kShiftedMean / 4) return {};
  if (std::abs(mean) < kShiftedMean || std::abs(mean) > 1.6) return {};
  return {mean > 0 ? 1 : -1,
          absl::StrFormat("its weights have a mean of %.2f steps of their grid; trained weights have "
                          "one near 0",
                          mean)};
}

void CheckZeroPoints(const RawFolder& folder, const RawLayer& layer, const Reading& declared, double error,
                     const Model* reference, Findings& findings) {
  const nlohmann::json& config = folder.config["quantization_config"];
  const bool symmetric = config.value("sym", nlohmann::json(false)) == true;
  ZeroFault fault;
  if (symmetric) fault = SymmetricZeros(layer);
  if (fault.correction == 0 && reference != nullptr) {
    fault = ZerosByReference(folder, layer, declared, error, reference);
  } else if (fault.correction == 0) {
    fault = ShiftedZeros(layer);
  }
  if (fault.correction == 0) return;
  const bool is_v1 = declared.zero_shift == 1;
  findings.Error("ZERO_POINT_OFF_BY_ONE", layer.module + ".qzeros",
                 absl::StrCat("zero points are one off as checkpoint_format \"", is_v1 ? "gptq" : "gptq_v2",
                              "\" reads them: ", fault.why),
                 is_v1
                     ? "The zero points are stored as they are: set \"checkpoint_format\" to \"gptq_v2\", or subtract "
                       "one from every stored zero point"
                     : "The zero points are stored less one: set \"checkpoint_format\" to \"gptq\", or add one to "
                       "every stored zero point");
}

// Version 1 stores a zero point of 0 as a borrow from the next field, which readers undo or not.
void CheckWrappedZeros(const RawLayer& layer, Findings& findings) {
  const int largest = 1 << layer.bits;
  for (int64_t g = 0; g < layer.groups; ++g) {
    for (int64_t o = 0; o < layer.outputs; ++o) {
      if (layer.zero(o, g) != largest) continue;
      return findings.Warning("ZERO_POINT_WRAPS", layer.module + ".qzeros",
                              absl::StrCat("the zero point of output ", o, ", group ", g, " is stored as ", largest - 1,
                                           ": readers take it for ", largest,
                                           ", for 0, or for a borrow from its "
                                           "neighbour"),
                              "Store zero points as they are (\"checkpoint_format\": \"gptq_v2\")");
    }
  }
}

// Whether every input has a group and every group its size; `in_order`: inputs stand in runs.
bool CheckGroupSizes(const RawLayer& layer, const RawTensor& index, const std::string& name, bool& in_order,
                     Findings& findings) {
  std::vector<int64_t> sizes(static_cast<size_t>(layer.groups));
  const int64_t size = (layer.inputs + layer.groups - 1) / layer.groups;
  in_order = true;
  for (int64_t i = 0; i < layer.inputs; ++i) {
    const int64_t group = static_cast<int32_t>(index.Word(i));
    if (group < 0 || group >= layer.groups) {
      findings.Error("GROUP_INDEX", name, absl::StrCat("puts input ", i, " into group ", group, " of ", layer.groups),
                     "Write the index again: the group of each input, from 0");
      return false;
    }
    ++sizes[group];
    in_order &= group == i / size;
  }
  for (int64_t group = 0; group < layer.groups; ++group) {
    const int64_t wanted = group + 1 < layer.groups ? size : layer.inputs - size * (layer.groups - 1);
    if (sizes[group] == wanted) continue;
    findings.Error("GROUP_INDEX", name,
                   absl::StrCat("group ", group, " has ", sizes[group], " inputs instead of ", wanted),
                   "Write the index again: i / group_size without act-order, the permuted groups with it");
    return false;
  }
  return true;
}

void CheckGroupIndex(const RawFolder& folder, const RawLayer& layer, double error, const Model* reference,
                     Findings& findings) {
  const std::string name = layer.module + ".g_idx";
  const RawTensor* index = folder.Find(name);
  if (index == nullptr || index->dtype != "I32" || index->dimension(0) != layer.inputs) return;
  const nlohmann::json& config = folder.config["quantization_config"];
  bool in_order = true;
  if (!CheckGroupSizes(layer, *index, name, in_order, findings)) return;
  if (!in_order && config.value("desc_act", nlohmann::json(false)) != true) {
    findings.Error("GROUP_INDEX", name, "inputs are in another order than \"desc_act\": false says",
                   "Set \"desc_act\" to true; kernels for false do not look at g_idx");
  }
  if (in_order || reference == nullptr) return;
  const std::vector<RawLayer> plain = GptqLayers(folder, {DeclaredGptqReading(config).zero_shift, false, false, true});
  if (Better(Find(plain, layer.module), error, reference)) {
    findings.Error("GROUP_INDEX", name,
                   "the layer lies at less than half the distance from the reference without g_idx",
                   "Write g_idx as i / group_size and set \"desc_act\" to false");
  }
}

}  // namespace

double ErrorAgainst(const RawLayer& layer, const Model& reference) {
  const absl::StatusOr<EncodedTensorPtr> original = reference.Find(layer.module + ".weight");
  if (!original.ok() || (*original)->shape() != Shape{layer.outputs, layer.inputs}) return -1;
  std::vector<float> row(static_cast<size_t>(layer.inputs));
  double sum = 0;
  int64_t count = 0;
  for (int64_t o = 0; o < layer.outputs; o += Stride(layer.outputs)) {
    (*original)->DecodeRows(o, 1, row.data());
    for (int64_t i = 0; i < layer.inputs; ++i, ++count) {
      const double difference = layer.Value(o, i) - row[i];
      sum += difference * difference;
    }
  }
  return sum / static_cast<double>(count);
}

void CheckGptqLayers(const RawFolder& folder, const Model* reference, Findings& findings) {
  const Reading declared = DeclaredGptqReading(folder.config["quantization_config"]);
  for (const RawLayer& layer : GptqLayers(folder, declared)) {
    const double error = reference == nullptr ? -1 : ErrorAgainst(layer, *reference);
    CheckGroupIndex(folder, layer, error, reference, findings);
    CheckZeroPoints(folder, layer, declared, error, reference, findings);
    if (declared.zero_shift == 1) CheckWrappedZeros(layer, findings);
  }
}

void CorrectSymmetricZeros(const nlohmann::json& config, std::vector<RawLayer>& layers) {
  if (config.value("sym", nlohmann::json(false)) != true) return;
  for (RawLayer& layer : layers) {
    const ZeroFault fault = SymmetricZeros(layer);
    if (fault.correction == 0) continue;
    layer.zero = [middle = 1 << (layer.bits - 1)](int64_t, int64_t) { return middle; };
  }
}

void CheckAwqLayers(const RawFolder& folder, const Model* reference, Findings& findings) {
  constexpr absl::string_view kRemedy =
      "Pack the eight columns of a word in the order 0, 2, 4, 6, 1, 3, 5, 7, in qweight and in qzeros";
  const std::vector<RawLayer> declared = AwqLayers(folder, {0, true, true, false});
  const Reading others[] = {{0, false, false, false}, {0, false, true, false}, {0, true, false, false}};
  std::vector<std::vector<RawLayer>> readings;
  for (const Reading& reading : others) readings.push_back(AwqLayers(folder, reading));
  const std::vector<RawLayer> shifted = AwqLayers(folder, {1, true, true, false});
  for (size_t l = 0; l < declared.size(); ++l) {
    const RawLayer& layer = declared[l];
    const double error = reference == nullptr ? -1 : ErrorAgainst(layer, *reference);
    const double follows = CodesFollowZeros(layer);
    bool misread = false;
    for (size_t r = 0; r < readings.size() && !misread; ++r) {
      const RawLayer* other = Find(readings[r], layer.module);
      misread = Better(other, error, reference);
      // Codes lie around their zero points; in the wrong order of one of them they do not.
      if (r > 0) misread |= CodesFollowZeros(*other) > follows + 0.3;
      if (!misread) continue;
      const char* what = r == 0 ? "codes and zero points are" : r == 1 ? "codes are" : "zero points are";
      findings.Error("NIBBLE_ORDER", layer.module + (r == 2 ? ".qzeros" : ".qweight"),
                     absl::StrCat(what, " in plain order, not in AWQ's"), kRemedy);
    }
    if (misread) continue;
    const bool off = reference == nullptr ? std::abs(MeanStep(layer).mean - 1) < 0.4
                                          : Better(Find(shifted, layer.module), error, reference);
    if (off) {
      findings.Error("ZERO_POINT_OFF_BY_ONE", layer.module + ".qzeros",
                     "zero points are stored less one, as GPTQ's first version does; AWQ stores them as they are",
                     "Add one to every stored zero point");
    }
  }
}

// Releases pack 3, 5, 6 and 7 bits in two ways, and the configuration does not say which it was.
void TellWordPacking(const std::vector<RawLayer>& layers, Findings& findings) {
  std::map<std::pair<int, bool>, std::vector<const RawLayer*>> kinds;
  for (const RawLayer& layer : layers) {
    if (layer.dense_words) kinds[{layer.bits, *layer.dense_words}].push_back(&layer);
  }
  for (const auto& [kind, found] : kinds) {
    const auto [bits, dense] = kind;
    const std::string how = dense ? "run across words, as compressed-tensors packs them since 2026-06; earlier releases"
                                  : absl::StrCat("stand ", 32 / bits,
                                                 " to a word, as compressed-tensors packed them before 2026-06; later "
                                                 "releases");
    findings.Warning("WORD_PACKING", found.front()->module + ".weight_packed",
                     absl::StrCat(bits, "-bit codes of ", found.size(), found.size() == 1 ? " layer " : " layers ", how,
                                  " cannot read them"),
                     "Load the file with a release of that time, or write 4 or 8 bits, which all releases pack alike");
  }
}

void CheckCompressedTensorsLayers(const RawFolder& folder, const Model* reference, Findings& findings) {
  Reading swapped, up, down;
  swapped.swapped = true;
  up.zero_shift = 1;
  down.zero_shift = -1;
  for (const auto& [name, tensor] : folder.tensors) {
    absl::string_view module = name;
    const bool quantized = absl::ConsumeSuffix(&module, ".weight_packed") ||
                           (absl::ConsumeSuffix(&module, ".weight") && RawSize(tensor.dtype) == 1);
    const std::string scales = absl::StrCat(module, ".weight_scale");
    if (!quantized && absl::EndsWith(name, ".weight") && RawIsFloat(tensor.dtype) && folder.Find(scales) != nullptr) {
      findings.Warning("TYPE_NOT_CHECKED", name,
                       absl::StrCat(tensor.dtype,
                                    " numbers beside scales (\"quantization_status\" frozen), which are "
                                    "not rounded a second time here, are not compared"),
                       "Save the model compressed for a layer that is checked");
    }
    if (!quantized || folder.Find(scales) != nullptr) continue;
    findings.Error("TENSOR_MISSING", scales, absl::StrCat("\"", name, "\" has no scales beside it"),
                   "Write the file again from its source");
  }
  const std::vector<RawLayer> others[] = {CompressedTensorsLayers(folder, swapped), CompressedTensorsLayers(folder, up),
                                          CompressedTensorsLayers(folder, down)};
  const std::vector<RawLayer> layers = CompressedTensorsLayers(folder, {});
  TellWordPacking(layers, findings);
  for (const RawLayer& layer : layers) {
    const double error = reference == nullptr ? -1 : ErrorAgainst(layer, *reference);
    if (Better(Find(others[0], layer.module), error, reference)) {
      findings.Error("NIBBLE_ORDER", layer.module + ".weight_packed",
                     "the layer lies at less than half the distance from the reference with the highest nibbles first",
                     "Pack neighbouring inputs from the lowest bits up");
      continue;
    }
    ZeroFault fault;
    for (int i = 1; layer.has_zeros && i < 3; ++i) {
      if (Better(Find(others[i], layer.module), error, reference)) {
        fault = {i == 1 ? 1 : -1,
                 "the layer lies at less than half the distance from the reference with zero points "
                 "one off"};
      }
    }
    if (layer.has_zeros && reference == nullptr) fault = ShiftedZeros(layer);
    if (fault.correction != 0) {
      findings.Error("ZERO_POINT_OFF_BY_ONE", layer.module + ".weight_zero_point", fault.why,
                     "Store zero points as they are, moved by 2^(bits-1) like the codes");
    }
    const std::string index_name = layer.module + ".weight_g_idx";
    const RawTensor* index = folder.Find(index_name);
    bool in_order = true;
    if (index != nullptr && index->dtype == "I32" && index->dimension(0) == layer.inputs) {
      CheckGroupSizes(layer, *index, index_name, in_order, findings);
    }
    const std::string zeros = layer.module + ".weight_zero_point";
    if (!layer.has_zeros && folder.Find(zeros) != nullptr) {
      findings.Warning("TENSOR_UNKNOWN", zeros, "the configuration says \"symmetric\"; vLLM refuses such a tensor",
                       "Leave it out, or say \"symmetric\": false");
    }
  }
}

void CompareLayers(const std::vector<RawLayer>& layers, const Model& model, Findings& findings, int64_t& compared) {
  for (const RawLayer& layer : layers) {
    const absl::StatusOr<EncodedTensorPtr> loaded = model.Find(layer.module + ".weight");
    if (!loaded.ok() || (*loaded)->shape() != Shape{layer.outputs, layer.inputs}) continue;
    ++compared;
    std::vector<float> row(static_cast<size_t>(layer.inputs));
    for (int64_t o = 0; o < layer.outputs; o += Stride(layer.outputs)) {
      (*loaded)->DecodeRows(o, 1, row.data());
      // A zero point that its format cannot hold is a finding of its own.
      bool wraps = false;
      for (int64_t g = 0; g < layer.groups; ++g) wraps |= layer.zero(o, g) >= 1 << layer.bits;
      if (wraps) continue;
      int64_t i = 0;
      const auto same = [&](double value, float other) {
        return static_cast<float>(value) == other || (std::isnan(value) && std::isnan(other));
      };
      while (i < layer.inputs && same(layer.Value(o, i), row[i])) ++i;
      if (i == layer.inputs) continue;
      findings.Error("DECODERS_DISAGREE", layer.module,
                     absl::StrCat("element [", o, ", ", i, "] is ", layer.Value(o, i), " by one reader and ", row[i],
                                  " by another"),
                     "Report this with the file: one of Tersor's two readers is wrong, or the file is ambiguous");
      break;
    }
  }
}

}  // namespace tersor
