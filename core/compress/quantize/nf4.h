// NF4 (QLoRA, arXiv 2305.14314, section 3).
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_NF4_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_NF4_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/codebook_method.h"

namespace tersor {

// Each group is divided by its largest magnitude and rounded to the nearest of 16 quantiles of a normal distribution.
class Nf4Method final : public CodebookMethod {
 public:
  static constexpr absl::string_view kName = "nf4";
  static MethodDescription Describe();
  static std::unique_ptr<const Method> Make(const v1::QuantizeStage& stage, const std::string& field,
                                            std::vector<FieldViolation>& violations);

  absl::string_view name() const override { return kName; }
  // Zero is a point of every grid.
  std::string WhyNotPruned() const override { return ""; }

 private:
  using CodebookMethod::CodebookMethod;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_NF4_H_
