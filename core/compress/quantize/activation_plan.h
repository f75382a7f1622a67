// A recipe's wish for the inputs of layers, before any width or text is known.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_ACTIVATION_PLAN_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_ACTIVATION_PLAN_H_

#include <set>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/calibration/input_statistics.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/code_book.h"
#include "core/encoding/group_scales.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/block.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct ActivationPlan {
  enum class Kind { kFloat, kIntToken, kIntTensor, kFloatToken };
  Kind kind = Kind::kFloat;
  // Of the integer kinds; kIntTensor reads bits and symmetry.
  IntTokenOptions integers = {};
  // Of kFloatToken.
  const CodeBook* book = nullptr;
  int64_t group_size = -1;
  ScaleForm scales = ScaleForm::kF32;

  static ActivationPlan IntToken(const IntTokenOptions& options) { return {Kind::kIntToken, options}; }
  static ActivationPlan FloatToken(const CodeBook& book, int64_t group_size, ScaleForm scales);

  // What Make wants to know.
  std::set<Statistic> statistics() const;
  // The format for a layer with so many inputs; null where they stay in float.
  absl::StatusOr<ActivationFormatPtr> Make(int64_t width, const InputStatistics* statistics) const;
  // Writes format and bytes into what a layer's encoding will be.
  void AddTo(PlannedEncoding& encoding) const;
  // A violation of `field`.group_size where groups do not divide the inputs of all layers.
  std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers, const std::string& field) const;
};

// "stages[0].quantize" of "stages[0].quantize.nf4": where `activations` stand.
std::string StageField(const std::string& method_field);

// What the stage's `activations` ask for, `fallback` where it has none. `field`: path of the stage. Faults are
// appended.
ActivationPlan ReadActivations(const v1::QuantizeStage& stage, const ActivationPlan& fallback, const std::string& field,
                               std::vector<FieldViolation>& violations);

// A violation where the stage asks for activations that the method `name` has its own format for.
void RefuseActivations(const v1::QuantizeStage& stage, const std::string& field, absl::string_view name,
                       std::vector<FieldViolation>& violations);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_ACTIVATION_PLAN_H_
