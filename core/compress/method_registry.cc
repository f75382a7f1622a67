#include "core/compress/method_registry.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/compress/compress_model.h"
#include "core/compress/quantize/gptq.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"

namespace tersor {
namespace {

struct Entry {
  v1::QuantizeStage::MethodCase message;
  MethodDescription (*describe)();
  std::unique_ptr<const Method> (*make)(const v1::QuantizeStage& stage, const std::string& field,
                                        std::vector<FieldViolation>& violations);
};

std::unique_ptr<const Method> MakeRtn(const v1::QuantizeStage& stage, const std::string& field,
                                      std::vector<FieldViolation>& violations) {
  return std::make_unique<RtnMethod>(ReadRtnConfig(stage.rtn(), field, violations));
}

std::unique_ptr<const Method> MakeGptq(const v1::QuantizeStage& stage, const std::string& field,
                                       std::vector<FieldViolation>& violations) {
  return std::make_unique<GptqMethod>(ReadGptqConfig(stage.gptq(), field, violations));
}

constexpr std::array kEntries = {
    Entry{v1::QuantizeStage::kRtn, RtnMethod::Describe, MakeRtn},
    Entry{v1::QuantizeStage::kGptq, GptqMethod::Describe, MakeGptq},
};

const Entry* FindEntry(const v1::QuantizeStage& stage) {
  for (const Entry& entry : kEntries) {
    if (entry.message == stage.method_case()) return &entry;
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<const Method> MakeMethod(const v1::QuantizeStage& stage, const std::string& field,
                                         std::vector<FieldViolation>& violations) {
  if (const Entry* entry = FindEntry(stage); entry != nullptr) {
    return entry->make(stage, absl::StrCat(field, ".", entry->describe().name), violations);
  }
  const std::string names =
      absl::StrJoin(kEntries, ", ", [](std::string* out, const Entry& entry) { out->append(entry.describe().name); });
  violations.push_back({field + ".method", absl::StrCat("no method is named; known: ", names)});
  return nullptr;
}

std::string StageName(const v1::Stage& stage) {
  const Entry* entry = FindEntry(stage.quantize());
  return entry == nullptr ? "quantize" : absl::StrCat("quantize:", entry->describe().name);
}

std::vector<MethodDescription> CompressionMethods() {
  std::vector<MethodDescription> methods;
  for (const Entry& entry : kEntries) methods.push_back(entry.describe());
  return methods;
}

}  // namespace tersor
