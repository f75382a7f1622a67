// Scales of groups as the encoding "codebook" stores them, and the values of its books. Private to core/lint.
#ifndef TERSOR_CORE_LINT_RAW_SCALES_H_
#define TERSOR_CORE_LINT_RAW_SCALES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/lint/raw_tensors.h"

namespace tersor {

// scale(row, group); null where the tensors `prefix` + field do not make such scales.
std::function<double(int64_t row, int64_t group)> RawScales(const RawFolder& folder, const std::string& prefix,
                                                            const std::string& form, int64_t rows, int64_t groups);

// A book's values by code; empty for an unknown name. The codes have 4 bits where there are 16, else 8.
std::vector<double> RawBook(const std::string& name);

// Whether `tensor` is there, of `dtype` and with `elements` elements.
bool RawFits(const RawTensor* tensor, const std::string& dtype, double elements);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_RAW_SCALES_H_
