#include "core/compress/method_registry.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/compress/compress_model.h"

namespace tersor {
namespace {

using Names = google::protobuf::RepeatedPtrField<std::string>;

struct Family {
  absl::string_view name;
  v1::Stage::KindCase kind;
  std::unique_ptr<const Method> (*make)(const v1::Stage& stage, const std::string& field,
                                        std::vector<FieldViolation>& violations);
  const Names& (*skipped)(const v1::Stage& stage);
  std::vector<MethodDescription> (*methods)();
};

constexpr std::array kFamilies = {
    Family{"quantize", v1::Stage::kQuantize,
           [](const v1::Stage& stage, const std::string& field, std::vector<FieldViolation>& violations) {
             return MakeMethod(stage.quantize(), field, violations);
           },
           [](const v1::Stage& stage) -> const Names& { return stage.quantize().skip(); }, QuantizeMethods},
    Family{"prune", v1::Stage::kPrune,
           [](const v1::Stage& stage, const std::string& field, std::vector<FieldViolation>& violations) {
             return MakeMethod(stage.prune(), field, violations);
           },
           [](const v1::Stage& stage) -> const Names& { return stage.prune().skip(); }, PruneMethods},
};

const Family* FamilyOf(const v1::Stage& stage) {
  const auto* found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                   [&](const Family& family) { return family.kind == stage.kind_case(); });
  return found == kFamilies.end() ? nullptr : found;
}

}  // namespace

std::unique_ptr<const Method> MakeMethod(const v1::Stage& stage, const std::string& field,
                                         std::vector<FieldViolation>& violations) {
  if (const Family* family = FamilyOf(stage); family != nullptr) {
    return family->make(stage, absl::StrCat(field, ".", family->name), violations);
  }
  const std::string names =
      absl::StrJoin(kFamilies, ", ", [](std::string* out, const Family& family) { absl::StrAppend(out, family.name); });
  violations.push_back({field, absl::StrCat("the stage is empty; known: ", names)});
  return nullptr;
}

const Names& SkippedLayers(const v1::Stage& stage) {
  const Family* family = FamilyOf(stage);
  return family == nullptr ? v1::QuantizeStage::default_instance().skip() : family->skipped(stage);
}

std::vector<MethodDescription> CompressionMethods() {
  std::vector<MethodDescription> methods;
  for (const Family& family : kFamilies) {
    for (MethodDescription& method : family.methods()) methods.push_back(std::move(method));
  }
  return methods;
}

}  // namespace tersor
