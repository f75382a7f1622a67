// MXFP4 weights.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_MXFP4_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_MXFP4_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/codebook_method.h"

namespace tersor {

// OCP Microscaling 1.0: E2M1 in blocks of 32 inputs, whose scale is a power of two.
class MxFp4Method final : public CodebookMethod {
 public:
  static constexpr absl::string_view kName = "mxfp4";
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

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_MXFP4_H_
