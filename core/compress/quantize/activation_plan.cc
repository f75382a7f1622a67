#include "core/compress/quantize/activation_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/float_token_format.h"
#include "core/encoding/int_static_format.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr int64_t kMxBlock = 32, kNvBlock = 16;

// Null where the name is none of a float format.
const ActivationPlan* FloatPlan(const std::string& name) {
  static const auto* const kPlans = new std::map<std::string, ActivationPlan>{
      {"e4m3", ActivationPlan::FloatToken(E4m3Book(), -1, ScaleForm::kF32)},
      {"e5m2", ActivationPlan::FloatToken(E5m2Book(), -1, ScaleForm::kF32)},
      {"mxfp8", ActivationPlan::FloatToken(E4m3Book(), kMxBlock, ScaleForm::kE8m0)},
      {"mxfp4", ActivationPlan::FloatToken(E2m1Book(), kMxBlock, ScaleForm::kE8m0)},
      {"nvfp4", ActivationPlan::FloatToken(E2m1Book(), kNvBlock, ScaleForm::kE4m3)}};
  const auto found = kPlans->find(name);
  return found == kPlans->end() ? nullptr : &found->second;
}

class OptionsReader {
 public:
  OptionsReader(const v1::ActivationOptions& options, std::string field, std::vector<FieldViolation>& violations)
      : options_(options), field_(std::move(field)), violations_(violations) {}

  ActivationPlan Read() {
    const std::string& name = options_.format();
    if (name == "none") return ReadNone();
    if (name.empty() || name == "int") return ReadInt();
    const ActivationPlan* plan = FloatPlan(name);
    if (plan == nullptr) {
      Fault("format", absl::StrCat("unknown format \"", name, "\"; known: int, e4m3, e5m2, mxfp8, mxfp4, nvfp4, none"));
      return {};
    }
    return ReadFloat(*plan);
  }

 private:
  void Fault(absl::string_view key, std::string description) {
    violations_.push_back({absl::StrCat(field_, ".", key), std::move(description)});
  }

  ActivationPlan ReadNone() {
    if (options_.has_bits()) Fault("bits", "inputs that stay in float have no bits");
    return {};
  }

  ActivationPlan ReadInt() {
    ActivationPlan plan{ActivationPlan::Kind::kIntToken};
    if (options_.has_bits()) plan.integers.bits = options_.bits();
    if (options_.has_symmetric()) plan.integers.symmetric = options_.symmetric();
    if (options_.has_group_size()) plan.integers.group_size = options_.group_size();
    if (plan.integers.bits < 2 || plan.integers.bits > 8) {
      Fault("bits", absl::StrCat("must be 2 to 8, got ", plan.integers.bits));
    }
    CheckGroup(plan.integers.group_size);
    if (options_.scale() == "tensor") {
      plan.kind = ActivationPlan::Kind::kIntTensor;
      if (options_.has_group_size()) Fault("group_size", "one scale for the layer leaves no groups of a token");
    } else if (!options_.scale().empty() && options_.scale() != "token") {
      Fault("scale", absl::StrCat("must be \"token\" or \"tensor\", got \"", options_.scale(), "\""));
    }
    return plan;
  }

  ActivationPlan ReadFloat(ActivationPlan plan) {
    if (options_.has_bits()) Fault("bits", absl::StrCat(options_.format(), " says itself how many bits it has"));
    if (options_.has_symmetric()) Fault("symmetric", "floats have a sign and no zero point");
    if (!options_.scale().empty() && options_.scale() != "token") {
      Fault("scale", "float formats find their scales for each token");
    }
    if (!options_.has_group_size()) return plan;
    if (plan.group_size != -1 && options_.group_size() != plan.group_size) {
      Fault("group_size", absl::StrCat(options_.format(), " has blocks of ", plan.group_size));
    }
    plan.group_size = options_.group_size();
    CheckGroup(plan.group_size);
    return plan;
  }

  void CheckGroup(int64_t group_size) {
    if (group_size == -1 || group_size >= 1) return;
    Fault("group_size", absl::StrCat("must be -1 (one scale a token) or at least 1, got ", group_size));
  }

  const v1::ActivationOptions& options_;
  const std::string field_;
  std::vector<FieldViolation>& violations_;
};

// The format's parameters, which no width changes; empty where the plan itself is faulty.
std::string ParametersText(const ActivationPlan& plan) {
  const int64_t group = plan.kind == ActivationPlan::Kind::kIntToken ? plan.integers.group_size : plan.group_size;
  const absl::StatusOr<ActivationFormatPtr> format = plan.Make(std::max<int64_t>(group, 1), nullptr);
  return format.ok() ? (*format)->Parameters().dump() : "";
}

}  // namespace

ActivationPlan ActivationPlan::FloatToken(const CodeBook& book, int64_t group_size, ScaleForm scales) {
  ActivationPlan plan{Kind::kFloatToken};
  plan.book = &book;
  plan.group_size = group_size;
  plan.scales = scales;
  return plan;
}

std::set<Statistic> ActivationPlan::statistics() const {
  return kind == Kind::kIntTensor ? std::set<Statistic>{Statistic::kRange} : std::set<Statistic>{};
}

absl::StatusOr<ActivationFormatPtr> ActivationPlan::Make(int64_t width, const InputStatistics* statistics) const {
  switch (kind) {
    case Kind::kFloat:
      return nullptr;
    case Kind::kIntToken:
      return IntTokenFormat::Create(width, integers);
    case Kind::kFloatToken:
      return FloatTokenFormat::Create(width, {book, group_size, scales});
    case Kind::kIntTensor:
      break;
  }
  const float low = *std::min_element(statistics->minima().begin(), statistics->minima().end());
  const float high = *std::max_element(statistics->maxima().begin(), statistics->maxima().end());
  return IntStaticFormat::Create(width, integers.bits, {SpanStaticGrid(low, high, integers.bits, integers.symmetric)},
                                 {});
}

void ActivationPlan::AddTo(PlannedEncoding& encoding) const {
  switch (kind) {
    case Kind::kFloat:
      return;
    case Kind::kIntToken:
      encoding.input_format = std::string(IntTokenFormat::kName);
      encoding.input_parameters = ParametersText(*this);
      return;
    case Kind::kFloatToken:
      encoding.input_format = std::string(FloatTokenFormat::kName);
      encoding.input_parameters = ParametersText(*this);
      return;
    case Kind::kIntTensor:
      encoding.input_format = std::string(IntStaticFormat::kName);
      encoding.input_parameters = nlohmann::json({{"bits", integers.bits}, {"clusters", 1}}).dump();
      encoding.bytes += IntStaticFormat::ByteSize(1, 1);
  }
}

std::vector<FieldViolation> ActivationPlan::CheckLayers(const std::vector<LinearLayer>& layers,
                                                        const std::string& field) const {
  const int64_t group = kind == Kind::kFloatToken ? group_size : kind == Kind::kIntToken ? integers.group_size : -1;
  const auto refused = std::find_if(layers.begin(), layers.end(),
                                    [&](const LinearLayer& layer) { return group > 0 && layer.inputs % group != 0; });
  if (refused == layers.end()) return {};
  return {{field + ".group_size",
           absl::StrCat("groups of ", group, " do not divide the ", refused->inputs, " inputs of ", refused->name)}};
}

std::string StageField(const std::string& method_field) { return method_field.substr(0, method_field.rfind('.')); }

ActivationPlan ReadActivations(const v1::QuantizeStage& stage, const ActivationPlan& fallback, const std::string& field,
                               std::vector<FieldViolation>& violations) {
  if (!stage.has_activations()) return fallback;
  return OptionsReader(stage.activations(), field + ".activations", violations).Read();
}

void RefuseActivations(const v1::QuantizeStage& stage, const std::string& field, absl::string_view name,
                       std::vector<FieldViolation>& violations) {
  if (!stage.has_activations()) return;
  violations.push_back(
      {field + ".activations", absl::StrCat(name,
                                            " is a way of quantizing the inputs itself, and they can be quantized only "
                                            "once; leave `activations` out, or use another method for the weights")});
}

}  // namespace tersor
