// NVFP4 weights.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_NVFP4_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_NVFP4_H_

#include <memory>
#include <string>
#include <vector>

#include "core/compress/method_description.h"
#include "core/compress/quantize/codebook_method.h"

namespace tersor {

// E2M1 in blocks of 16 inputs, whose scale is an E4M3 number times a factor of the whole matrix.
class NvFp4Method final : public CodebookMethod {
 public:
  static constexpr absl::string_view kName = "nvfp4";
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

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_NVFP4_H_
