#include "core/encoding/float_token_format.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

float AbsMax(const float* x, int64_t count) {
  float absmax = 0;
  for (int64_t i = 0; i < count; ++i) absmax = std::max(absmax, std::abs(x[i]));
  return absmax;
}

}  // namespace

float MxScale(float absmax, const CodeBook& book) {
  return absmax == 0 ? 0 : std::ldexp(1.0f, std::ilogb(absmax) - std::ilogb(book.largest()));
}

absl::StatusOr<std::shared_ptr<const FloatTokenFormat>> FloatTokenFormat::Create(int64_t width,
                                                                                 const FloatTokenOptions& options) {
  if (options.book == nullptr) return absl::InvalidArgumentError("a float format needs a code book");
  if (options.group_size != -1 && (options.group_size < 1 || width % options.group_size != 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("activation groups of ", options.group_size, " do not divide ", width, " inputs"));
  }
  if (options.scales != ScaleForm::kF32 && options.scales != ScaleForm::kE8m0 && options.scales != ScaleForm::kE4m3) {
    return absl::InvalidArgumentError(
        absl::StrCat("scales of activations cannot be ", ScaleFormName(options.scales), "; known: f32, e8m0, e4m3"));
  }
  return std::shared_ptr<const FloatTokenFormat>(new FloatTokenFormat(width, options));
}

absl::StatusOr<ActivationFormatPtr> FloatTokenFormat::Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                              const nlohmann::json& parameters) {
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {}));
  FloatTokenOptions options;
  TERSOR_ASSIGN_OR_RETURN(const std::string name, StringParameter(parameters, "book"));
  TERSOR_ASSIGN_OR_RETURN(options.group_size, IntegerParameter(parameters, "group_size"));
  TERSOR_ASSIGN_OR_RETURN(const std::string form, StringParameter(parameters, "scales"));
  TERSOR_ASSIGN_OR_RETURN(options.scales, ScaleFormFromName(form));
  options.book = FindCodeBook(name);
  if (options.book == nullptr) return absl::InvalidArgumentError(absl::StrCat("unknown code book \"", name, "\""));
  TERSOR_ASSIGN_OR_RETURN(std::shared_ptr<const FloatTokenFormat> format, Create(width, options));
  return ActivationFormatPtr(std::move(format));
}

nlohmann::json FloatTokenFormat::Parameters() const {
  return {{"book", std::string(options_.book->name())},
          {"group_size", options_.group_size},
          {"scales", std::string(ScaleFormName(options_.scales))}};
}

float FloatTokenFormat::TokenScale(float absmax) const {
  return options_.scales == ScaleForm::kE4m3 ? absmax / options_.book->largest() / E4m3Book().largest() : 0;
}

float FloatTokenFormat::StoredScale(float absmax, float token_scale) const {
  if (options_.scales == ScaleForm::kE8m0) return MxScale(absmax, *options_.book);
  const float scale = absmax / options_.book->largest();
  if (options_.scales == ScaleForm::kF32 || token_scale == 0) return scale;
  return E4m3Book().Value(E4m3Book().Nearest(scale / token_scale)) * token_scale;
}

void FloatTokenFormat::RoundToken(const float* x, float* out) const {
  const CodeBook& book = *options_.book;
  const int64_t group = options_.group_size == -1 ? width_ : options_.group_size;
  const float token_scale = options_.scales == ScaleForm::kE4m3 ? TokenScale(AbsMax(x, width_)) : 0;
  for (int64_t first = 0; first < width_; first += group) {
    const float scale = StoredScale(AbsMax(x + first, group), token_scale);
    const float inverse = 1 / scale;
    const bool usable = scale > 0 && std::isfinite(inverse);
    for (int64_t i = first; i < first + group; ++i) {
      out[i] = usable ? book.Value(book.Nearest(x[i] * inverse)) * scale : 0;
    }
  }
}

void FloatTokenFormat::Round(const float* x, int64_t rows, float* out) const {
  for (int64_t row = 0; row < rows; ++row) RoundToken(x + row * width_, out + row * width_);
}

}  // namespace tersor
