// What can be done with a model, found by planning it.
#ifndef TERSOR_CLIENT_CLI_MODEL_FIT_H_
#define TERSOR_CLIENT_CLI_MODEL_FIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model.h"

namespace tersor::client {

struct ModelFit {
  // Group sizes that divide the input widths of all linear layers, ascending; without -1, which always does.
  std::vector<int64_t> group_sizes;
  // "quantize:gptq", ...: methods that take the model with their defaults, or with another group size.
  std::vector<std::string> stages;
  // Formats that can hold the model as it is, or as one of these stages leaves it.
  std::vector<std::string> exports;
};

ModelFit FitOf(const Model& model);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_MODEL_FIT_H_
