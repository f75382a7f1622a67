// compressed-tensors' layers, decoded element by element. https://github.com/vllm-project/compressed-tensors
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/formats/compressed_tensors_scheme.h"
#include "core/lint/raw_layers.h"

namespace tersor {
namespace {

// Sign, two bits of exponent, one of mantissa.
double Float4Value(int code) {
  const int exponent = code >> 1 & 3;
  const double mantissa = (code & 1) / 2.0;
  const double size = exponent == 0 ? mantissa : std::ldexp(1 + mantissa, exponent - 1);
  return code & 8 ? -size : size;
}

class LayerReader {
 public:
  LayerReader(const RawFolder& folder, std::string module, const WeightScheme& scheme, const Reading& reading)
      : folder_(folder), scheme_(scheme), reading_(reading), middle_(1 << (scheme.bits - 1)) {
    layer_.module = std::move(module);
    layer_.bits = scheme.bits;
  }

  std::optional<RawLayer> Read() {
    packed_ = Find(".weight_packed");
    plain_ = Find(".weight");
    if (scheme_.bits < 2 || scheme_.bits > 8 || !ReadValues() || !ReadScales()) return std::nullopt;
    layer_.group_of = IndexedGroups(Find(".weight_g_idx"), layer_.inputs, layer_.groups);
    layer_.zero = [middle = middle_](int64_t, int64_t) { return middle; };
    if (scheme_.symmetric || scheme_.is_float) return layer_;
    return ReadZeros() ? std::optional(layer_) : std::nullopt;
  }

 private:
  const RawTensor* Find(absl::string_view suffix) const { return folder_.Find(absl::StrCat(layer_.module, suffix)); }
  static bool IsMatrix(const RawTensor* tensor, absl::string_view dtype) {
    return tensor != nullptr && tensor->dtype == dtype && tensor->shape.size() == 2 &&
           tensor->bytes.size() ==
               static_cast<size_t>(tensor->dimension(0) * tensor->dimension(1) * RawSize(tensor->dtype));
  }

  bool ReadValues() {
    if (packed_ != nullptr) return scheme_.is_float ? ReadFloat4() : ReadWords();
    if (!scheme_.is_float) return ReadBytes();
    if (!IsMatrix(plain_, "F8_E4M3") && !IsMatrix(plain_, "F8_E5M2")) return false;
    layer_.outputs = plain_->dimension(0);
    layer_.inputs = plain_->dimension(1);
    layer_.number = [plain = plain_, width = layer_.inputs](int64_t o, int64_t i) {
      return plain->Number(o * width + i);
    };
    return true;
  }

  bool ReadFloat4() {
    if (!IsMatrix(packed_, "U8") || scheme_.bits != 4) return false;
    layer_.outputs = packed_->dimension(0);
    layer_.inputs = 2 * packed_->dimension(1);
    layer_.number = [packed = packed_, width = packed_->dimension(1), other = reading_.swapped](int64_t o, int64_t i) {
      const int pair = static_cast<int>(packed->bytes[o * width + i / 2]);
      return Float4Value(pair >> (i % 2 == (other ? 0 : 1) ? 4 : 0) & 15);
    };
    return true;
  }

  int64_t DenseWords(int64_t count) const { return (count * scheme_.bits + 31) / 32; }
  int64_t PaddedWords(int64_t count) const {
    const int64_t per_word = 32 / scheme_.bits;
    return (count + per_word - 1) / per_word;
  }
  // Values of `bits` in a run of words: dense across words, or as many whole ones as a word holds (releases before
  // 2026-06).
  std::optional<bool> IsDense(int64_t words, int64_t count) const {
    if (words == DenseWords(count)) return true;
    return words == PaddedWords(count) ? std::optional(false) : std::nullopt;
  }
  int At(const RawTensor& words, int64_t first, int64_t stride, int64_t i, bool dense) const {
    const int bits = scheme_.bits;
    if (reading_.swapped && bits == 4) i = i / 8 * 8 + 7 - i % 8;
    if (dense) return BitsAt(words, first, stride, i * bits, bits);
    return BitsAt(words, first, stride, i / (32 / bits) * 32 + i % (32 / bits) * bits, bits);
  }

  bool ReadWords() {
    const RawTensor* shape = Find(".weight_shape");
    if (!IsMatrix(packed_, "I32") || shape == nullptr || shape->bytes.size() != 16) return false;
    layer_.outputs = packed_->dimension(0);
    layer_.inputs = shape->Word(2);
    const int64_t width = packed_->dimension(1);
    const std::optional<bool> dense = IsDense(width, layer_.inputs);
    if (!dense) return false;
    if (DenseWords(layer_.inputs) != PaddedWords(layer_.inputs)) layer_.dense_words = dense;
    layer_.code = [*this, packed = packed_, width, dense = *dense](int64_t o, int64_t i) {
      return At(*packed, o * width, 1, i, dense);
    };
    return true;
  }

  bool ReadBytes() {
    if (!IsMatrix(plain_, "I8")) return false;
    layer_.outputs = plain_->dimension(0);
    layer_.inputs = plain_->dimension(1);
    layer_.code = [plain = plain_, middle = middle_, width = layer_.inputs](int64_t o, int64_t i) {
      return static_cast<int8_t>(plain->bytes[o * width + i]) + middle;
    };
    return true;
  }

  bool ReadScales() {
    const RawTensor* scales = Find(".weight_scale");
    if (scales == nullptr || scales->bytes.empty()) return false;
    const bool powers = scales->dtype == "U8";
    if (!powers && !RawIsFloat(scales->dtype)) return false;
    const bool one = scales->bytes.size() == static_cast<size_t>(RawSize(scales->dtype));
    if (!one && !IsMatrix(scales, scales->dtype)) return false;
    const int64_t width = one ? 1 : scales->dimension(1);
    const int64_t block_rows = scheme_.strategy == "block" ? scheme_.block_rows : 1;
    if (!one && scales->dimension(0) != (layer_.outputs + block_rows - 1) / block_rows) return false;
    layer_.groups = width;
    if (width < 1 || layer_.inputs < width) return false;
    const RawTensor* divisor = Find(".weight_global_scale");
    if (divisor != nullptr && (divisor->dtype != "F32" || divisor->bytes.size() != 4)) return false;
    const float over = divisor == nullptr ? 1 : static_cast<float>(divisor->Number(0));
    layer_.scale = [=](int64_t o, int64_t g) -> double {
      const int64_t i = one ? 0 : o / block_rows * width + g;
      if (powers) return std::ldexp(1.0, static_cast<int>(scales->bytes[i]) - 127);
      return static_cast<float>(scales->Number(i)) / over;
    };
    return true;
  }

  bool ReadZeros() {
    const RawTensor* zeros = Find(".weight_zero_point");
    if (zeros == nullptr) return true;
    layer_.has_zeros = true;
    const int64_t groups = layer_.groups;
    if (zeros->dtype == "I8" && zeros->bytes.size() == static_cast<size_t>(layer_.outputs * groups)) {
      layer_.zero = [zeros, middle = middle_, groups, shift = reading_.zero_shift](int64_t o, int64_t g) {
        return static_cast<int8_t>(zeros->bytes[o * groups + g]) + middle + shift;
      };
      return true;
    }
    if (!IsMatrix(zeros, "I32") || zeros->dimension(1) != groups) return false;
    const std::optional<bool> dense = IsDense(zeros->dimension(0), layer_.outputs);
    if (!dense) return false;
    layer_.zero = [*this, zeros, groups, dense = *dense](int64_t o, int64_t g) {
      return At(*zeros, g, groups, o, dense) + reading_.zero_shift;
    };
    return true;
  }

  const RawFolder& folder_;
  const WeightScheme scheme_;
  const Reading reading_;
  const int middle_;
  const RawTensor* packed_ = nullptr;
  const RawTensor* plain_ = nullptr;
  RawLayer layer_;
};

}  // namespace

std::vector<RawLayer> CompressedTensorsLayers(const RawFolder& folder, const Reading& reading) {
  std::vector<RawLayer> layers;
  const absl::StatusOr<CompressedTensorsScheme> scheme =
      ParseCompressedTensorsScheme(folder.config["quantization_config"]);
  if (!scheme.ok()) return layers;
  for (const std::string& module : RawModules(folder, ".weight_scale")) {
    const absl::StatusOr<std::vector<WeightScheme>> schemes = SchemesOf(*scheme, module);
    if (!schemes.ok()) continue;
    std::optional<RawLayer> layer;
    for (size_t i = 0; i < schemes->size() && !layer; ++i) {
      layer = LayerReader(folder, module, (*schemes)[i], reading).Read();
    }
    if (layer) layers.push_back(*std::move(layer));
  }
  return layers;
}

}  // namespace tersor
