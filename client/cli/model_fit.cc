#include "client/cli/model_fit.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/cli/local_engine.h"
#include "core/compress/compress_model.h"
#include "core/exports/export_registry.h"
#include "core/pipeline/statistics_export.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor::client {
namespace {

// As calibration_tokens of a recipe that names none: costs depend on it, what fits does not.
constexpr int64_t kTokens = 8192;
constexpr int64_t kSmallestGroup = 8, kLargestGroup = 512;

// An option that a method does not have is no fault here.
class Silence final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
};

std::vector<int64_t> DividingGroupSizes(const std::vector<int64_t>& widths) {
  int64_t common = 0;
  for (const int64_t width : widths) common = std::gcd(common, width);
  std::vector<int64_t> sizes;
  for (int64_t size = kSmallestGroup; size <= std::min(common, kLargestGroup); ++size) {
    if (common % size == 0) sizes.push_back(size);
  }
  return sizes;
}

// The method with its defaults, but for the options in `text`; nothing where it has no such option.
std::optional<v1::Recipe> RecipeOf(const MethodDescription& method, const std::string& text) {
  v1::Recipe recipe;
  v1::Stage& stage = *recipe.add_stages();
  const auto* family = stage.GetDescriptor()->FindFieldByName(method.family);
  if (family == nullptr) return std::nullopt;
  google::protobuf::Message& message = *stage.GetReflection()->MutableMessage(&stage, family);
  const auto* field = message.GetDescriptor()->FindFieldByName(method.name);
  if (field == nullptr) return std::nullopt;
  google::protobuf::TextFormat::Parser parser;
  Silence silence;
  parser.RecordErrorsTo(&silence);
  if (!parser.ParseFromString(text, message.GetReflection()->MutableMessage(&message, field))) return std::nullopt;
  return recipe;
}

// The layers' encodings after the method; nothing where it cannot take the model.
std::optional<PlannedEncodings> EncodingsAfter(const Model& model, const MethodDescription& method,
                                               const std::string& options) {
  const std::optional<v1::Recipe> recipe = RecipeOf(method, options);
  if (!recipe.has_value()) return std::nullopt;
  std::vector<FieldViolation> violations;
  CompressionPlan plan = PlanCompression(model, *recipe, {kTokens, kTokens}, {}, violations);
  if (!violations.empty()) return std::nullopt;
  return std::move(plan.encodings);
}

// What formats differ in: widths of codes, zero points, and groups of sizes that fit.
std::vector<std::string> OptionsToTry(const std::vector<int64_t>& group_sizes) {
  std::vector<std::string> groups = {"", "group_size: -1"};
  for (const int64_t size : group_sizes) {
    if (size == group_sizes.back() || size == 32 || size == 64 || size == 128) {
      groups.push_back(absl::StrCat("group_size: ", size));
    }
  }
  std::vector<std::string> options;
  for (const std::string& group : groups) {
    for (const char* grid : {"", " bits: 8", " symmetric: false"}) options.push_back(group + grid);
  }
  return options;
}

}  // namespace

ModelFit FitOf(const Model& model) {
  ModelFit fit;
  fit.group_sizes = DividingGroupSizes(ShapeOf(model).input_widths);
  const std::vector<std::string> tried = OptionsToTry(fit.group_sizes);
  std::vector<PlannedEncodings> reachable = {{}};
  for (const MethodDescription& method : ListMethods()) {
    bool fits = false;
    for (const std::string& options : tried) {
      std::optional<PlannedEncodings> encodings = EncodingsAfter(model, method, options);
      if (!encodings.has_value()) continue;
      fits = true;
      reachable.push_back(*std::move(encodings));
    }
    if (fits) fit.stages.push_back(absl::StrCat(method.family, ":", method.name));
  }
  for (const std::string& format : ExportNames()) {
    const bool holds = std::any_of(reachable.begin(), reachable.end(), [&](const PlannedEncodings& encodings) {
      return PlanExport(format, model, encodings).ok();
    });
    if (holds) fit.exports.push_back(format);
  }
  fit.exports.emplace_back(kStatisticsExport);
  return fit;
}

}  // namespace tersor::client
