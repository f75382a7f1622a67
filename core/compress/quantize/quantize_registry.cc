#include "core/compress/quantize/quantize_registry.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/compress/quantize/activation_plan.h"
#include "core/compress/quantize/awq.h"
#include "core/compress/quantize/bcq.h"
#include "core/compress/quantize/fp8.h"
#include "core/compress/quantize/gptq.h"
#include "core/compress/quantize/llm_int8.h"
#include "core/compress/quantize/mxfp4.h"
#include "core/compress/quantize/nf4.h"
#include "core/compress/quantize/nvfp4.h"
#include "core/compress/quantize/olive.h"
#include "core/compress/quantize/outlier_suppression_plus.h"
#include "core/compress/quantize/owq.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rptq.h"
#include "core/compress/quantize/rtn.h"
#include "core/compress/quantize/smoothquant.h"
#include "core/compress/quantize/spqr.h"
#include "core/compress/quantize/with_activations.h"
#include "core/compress/quantize/zeroquant.h"
#include "core/compress/quantize/zeroquant_fp.h"

namespace tersor {
namespace {

struct Entry {
  v1::QuantizeStage::MethodCase message;
  MethodDescription (*describe)();
  std::unique_ptr<const Method> (*make)(const v1::QuantizeStage& stage, const std::string& field,
                                        std::vector<FieldViolation>& violations);
};

std::unique_ptr<const Method> MakeGptq(const v1::QuantizeStage& stage, const std::string& field,
                                       std::vector<FieldViolation>& violations) {
  auto method = std::make_unique<GptqMethod>(ReadGptqConfig(stage.gptq(), field, violations));
  if (!stage.has_activations()) return method;
  return std::make_unique<WithActivations>(std::move(method),
                                           ReadActivations(stage, {}, StageField(field), violations));
}

constexpr std::array kEntries = {
    Entry{v1::QuantizeStage::kRtn, RtnMethod::Describe, RtnMethod::Make},
    Entry{v1::QuantizeStage::kGptq, GptqMethod::Describe, MakeGptq},
    Entry{v1::QuantizeStage::kAwq, AwqMethod::Describe, AwqMethod::Make},
    Entry{v1::QuantizeStage::kSmoothquant, SmoothQuantMethod::Describe, SmoothQuantMethod::Make},
    Entry{v1::QuantizeStage::kLlmInt8, LlmInt8Method::Describe, LlmInt8Method::Make},
    Entry{v1::QuantizeStage::kZeroquant, ZeroQuantMethod::Describe, ZeroQuantMethod::Make},
    Entry{v1::QuantizeStage::kFp8, Fp8Method::Describe, Fp8Method::Make},
    Entry{v1::QuantizeStage::kNf4, Nf4Method::Describe, Nf4Method::Make},
    Entry{v1::QuantizeStage::kMxfp4, MxFp4Method::Describe, MxFp4Method::Make},
    Entry{v1::QuantizeStage::kNvfp4, NvFp4Method::Describe, NvFp4Method::Make},
    Entry{v1::QuantizeStage::kZeroquantFp, ZeroQuantFpMethod::Describe, ZeroQuantFpMethod::Make},
    Entry{v1::QuantizeStage::kBcq, BcqMethod::Describe, BcqMethod::Make},
    Entry{v1::QuantizeStage::kOutlierSuppressionPlus, OutlierSuppressionPlusMethod::Describe,
          OutlierSuppressionPlusMethod::Make},
    Entry{v1::QuantizeStage::kRptq, RptqMethod::Describe, RptqMethod::Make},
    Entry{v1::QuantizeStage::kOlive, OliveMethod::Describe, OliveMethod::Make},
    Entry{v1::QuantizeStage::kOwq, OwqMethod::Describe, OwqMethod::Make},
    Entry{v1::QuantizeStage::kSpqr, SpqrMethod::Describe, SpqrMethod::Make},
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

std::vector<MethodDescription> QuantizeMethods() {
  std::vector<MethodDescription> methods;
  for (const Entry& entry : kEntries) methods.push_back(entry.describe());
  return methods;
}

}  // namespace tersor
