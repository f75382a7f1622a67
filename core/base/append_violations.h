// Faults of one recipe that are found in several places.
#ifndef TERSOR_CORE_BASE_APPEND_VIOLATIONS_H_
#define TERSOR_CORE_BASE_APPEND_VIOLATIONS_H_

#include <vector>

#include "core/base/field_violation.h"

namespace tersor {

// Leaves out of `more` what concerns a field that has its fault in `violations` already: it may follow from that one.
void AppendNewFields(std::vector<FieldViolation> more, std::vector<FieldViolation>& violations);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_APPEND_VIOLATIONS_H_
