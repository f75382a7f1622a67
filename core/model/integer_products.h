// Which layers are multiplied as integers, known before they are compressed.
#ifndef TERSOR_CORE_MODEL_INTEGER_PRODUCTS_H_
#define TERSOR_CORE_MODEL_INTEGER_PRODUCTS_H_

#include <cstdint>

#include "core/encoding/encoded_tensor.h"
#include "core/encoding/planned_encoding.h"

namespace tersor {

enum class IntegerProducts {
  // Floats, once there is more than a row of inputs.
  kNone,
  // Integers of 8 bits by integers of 8 bits, in Tersor's own kernel: groups, zero points of 8-bit weights, outliers in
  // float.
  kOwn,
  // One sum for each output, which the matmul library does where the CPU has the instructions.
  kLibrary,
};

// How a layer of `columns` inputs that gets this encoding is multiplied over many rows: the one condition.
IntegerProducts PlannedProducts(const PlannedEncoding& planned, int64_t columns);
// The same of a stored weight.
IntegerProducts StoredProducts(const EncodedTensor& weight);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_INTEGER_PRODUCTS_H_
