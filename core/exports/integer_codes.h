// A group-int weight's parts as writers of packed formats take them.
#ifndef TERSOR_CORE_EXPORTS_INTEGER_CODES_H_
#define TERSOR_CORE_EXPORTS_INTEGER_CODES_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/encoding/group_int_tensor.h"

namespace tersor {

struct IntegerCodes {
  // Unsigned, [rows, columns].
  std::vector<uint8_t> codes;
  // Unsigned, [rows, groups]; the middle of the grid where symmetric.
  std::vector<uint8_t> zero_points;
  // Bits of F16 numbers, [rows, groups].
  std::vector<uint16_t> scales;
};
// Codes and zero points stand in the middle of a grid of `packed_bits`, at least the weight's own: they decode to the
// same values there.
IntegerCodes TakeIntegerCodes(const GroupIntTensor& weight, int packed_bits);

// F16 [groups, rows], as GPTQ and AWQ store them.
absl::StatusOr<Tensor> ScalesByGroup(const IntegerCodes& codes, int64_t rows, int64_t groups);

// INTERNAL where a planned layer is something else.
absl::StatusOr<const GroupIntTensor*> AsGroupInt(const EncodedTensor& weight);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_INTEGER_CODES_H_
