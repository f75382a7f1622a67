// Checks that options of several methods share. Faults are appended with the option's path.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_OPTION_CHECKS_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_OPTION_CHECKS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/field_violation.h"

namespace tersor {

// `field` is the path of the method's message, `option` the name in it.
struct OptionChecks {
  const std::string& field;
  std::vector<FieldViolation>& violations;

  void Fault(absl::string_view option, std::string description) const;
  void InRange(absl::string_view option, double value, double low, double high) const;
  // 2 to 8.
  void Bits(absl::string_view option, int bits) const { InRange(option, bits, 2, 8); }
  // -1 or at least 1.
  void GroupSize(absl::string_view option, int64_t group_size) const;
  // Among `known`.
  void OneOf(absl::string_view option, absl::string_view value, const std::vector<absl::string_view>& known) const;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_OPTION_CHECKS_H_
