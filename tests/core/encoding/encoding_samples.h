// One small tensor of every encoding that methods make.
#ifndef TERSOR_TESTS_CORE_ENCODING_ENCODING_SAMPLES_H_
#define TERSOR_TESTS_CORE_ENCODING_ENCODING_SAMPLES_H_

#include <string>
#include <vector>

#include "core/encoding/encoded_tensor.h"

namespace tersor::testing {

struct EncodingSample {
  std::string name;
  EncodedTensorPtr tensor;
};

// Of shape [6, 32].
std::vector<EncodingSample> EncodingSamples();

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_ENCODING_ENCODING_SAMPLES_H_
