// Which layers are multiplied as integers, known before they are compressed.
#ifndef TERSOR_CORE_MODEL_INTEGER_PRODUCTS_H_
#define TERSOR_CORE_MODEL_INTEGER_PRODUCTS_H_

#include <cstdint>

#include "core/encoding/planned_encoding.h"

namespace tersor {

// Whether a layer of `columns` inputs that gets this encoding is multiplied as integers by integers; all others are
// multiplied as floats once they have more than a row of inputs.
bool MultipliesIntegers(const PlannedEncoding& planned, int64_t columns);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_INTEGER_PRODUCTS_H_
