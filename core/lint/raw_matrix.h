// Matrices of Tersor's encodings decoded element by element, straight from docs/container_format.md: slow, and sharing
// nothing with the readers that it checks. Private to core/lint.
#ifndef TERSOR_CORE_LINT_RAW_MATRIX_H_
#define TERSOR_CORE_LINT_RAW_MATRIX_H_

#include <cstdint>
#include <functional>
#include <string>

#include "core/lint/raw_tensors.h"
#include "nlohmann/json.hpp"

namespace tersor {

struct RawMatrix {
  int64_t rows = 0;
  int64_t columns = 0;
  // Null where the fields do not make such a matrix.
  std::function<double(int64_t row, int64_t column)> value = nullptr;
};

// The matrix that `described` ("encoding" and "parameters") makes of the tensors `prefix` + field; the folder must
// outlive it.
RawMatrix DecodeRawMatrix(const RawFolder& folder, const std::string& prefix, const nlohmann::json& described,
                          int64_t rows, int64_t columns);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_RAW_MATRIX_H_
