#include "core/lint/raw_scales.h"

#include <algorithm>
#include <cmath>

namespace tersor {
namespace {

// QLoRA (arXiv 2305.14314, appendix E).
constexpr double kNf4[] = {-1.0,
                           -0.6961928009986877,
                           -0.5250730514526367,
                           -0.39491748809814453,
                           -0.28444138169288635,
                           -0.18477343022823334,
                           -0.09105003625154495,
                           0.0,
                           0.07958029955625534,
                           0.16093020141124725,
                           0.24611230194568634,
                           0.33791524171829224,
                           0.44070982933044434,
                           0.5626170039176941,
                           0.7229568362236023,
                           1.0};

std::vector<double> SmallFloats(int exponent_bits, int mantissa_bits) {
  std::vector<double> values;
  for (int code = 0; code < 2 << (exponent_bits + mantissa_bits); ++code) {
    values.push_back(SmallFloatValue(code, exponent_bits, mantissa_bits));
  }
  return values;
}

// bitsandbytes' create_dynamic_map(): means of 2^i even parts of [0.1, 1], times 10^(i - 6), of both signs; 0 and 1.
std::vector<double> DynamicMap() {
  std::vector<double> values = {0, 1};
  for (int i = 0; i < 7; ++i) {
    const int parts = 1 << i;
    for (int part = 0; part < parts; ++part) {
      const double mean = (0.1 + 0.9 * part / parts + 0.1 + 0.9 * (part + 1) / parts) / 2 * std::pow(10.0, i - 6);
      values.push_back(mean);
      values.push_back(-mean);
    }
  }
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

bool RawFits(const RawTensor* tensor, const std::string& dtype, double elements) {
  return tensor != nullptr && tensor->dtype == dtype &&
         static_cast<double>(tensor->bytes.size()) == elements * static_cast<double>(RawSize(dtype));
}

std::vector<double> RawBook(const std::string& name) {
  if (name == "nf4") return {std::begin(kNf4), std::end(kNf4)};
  if (name == "e2m1") return SmallFloats(2, 1);
  if (name == "e4m3") return SmallFloats(4, 3);
  if (name == "e5m2") return SmallFloats(5, 2);
  return {};
}

std::function<double(int64_t, int64_t)> RawScales(const RawFolder& folder, const std::string& prefix,
                                                  const std::string& form, int64_t rows, int64_t groups) {
  const double count = static_cast<double>(rows) * static_cast<double>(groups);
  const RawTensor* scales = folder.Find(prefix + "scales");
  const auto factor = [&](const char* name, double elements) {
    const RawTensor* tensor = folder.Find(prefix + name);
    return RawFits(tensor, "F32", elements) ? tensor : nullptr;
  };
  if (form == "f32" || form == "f16") {
    if (!RawFits(scales, form == "f32" ? "F32" : "F16", count)) return nullptr;
    return [=](int64_t row, int64_t group) { return scales->Number(row * groups + group); };
  }
  if (form == "row-shift") {
    const RawTensor *bases = factor("row_scales", static_cast<double>(rows)), *shifts = folder.Find(prefix + "shifts");
    if (bases == nullptr || !RawFits(shifts, "U8", count)) return nullptr;
    return
        [=](int64_t row, int64_t group) { return std::ldexp(bases->Number(row), -shifts->Byte(row * groups + group)); };
  }
  if (!RawFits(scales, "U8", count)) return nullptr;
  if (form == "e8m0") {
    return [=](int64_t row, int64_t group) { return std::ldexp(1.0, scales->Byte(row * groups + group) - 127); };
  }
  if (form == "e4m3" || form == "e4m3-over") {
    const bool over = form == "e4m3-over";
    const RawTensor* tensor = factor(over ? "divisor" : "tensor_scale", 1);
    if (tensor == nullptr) return nullptr;
    const double by = over ? 1 / tensor->Number(0) : tensor->Number(0);
    return [=](int64_t row, int64_t group) { return SmallFloatValue(scales->Byte(row * groups + group), 4, 3) * by; };
  }
  const RawTensor *blocks = factor("block_scales", std::ceil(count / 256)), *offset = factor("offset", 1);
  if (form != "double" || blocks == nullptr || offset == nullptr) return nullptr;
  return [=, map = DynamicMap()](int64_t row, int64_t group) {
    const int64_t at = row * groups + group;
    return map[scales->Byte(at)] * blocks->Number(at / 256) + offset->Number(0);
  };
}

}  // namespace tersor
