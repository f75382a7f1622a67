// Where an input of a linear layer can be scaled without changing the model: which parameter makes it.
#ifndef TERSOR_CORE_MODEL_FOLD_GROUP_H_
#define TERSOR_CORE_MODEL_FOLD_GROUP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/model/model.h"

namespace tersor {

// The layers of one segment read what one parameter makes: dividing the parameter's outputs by s and multiplying the
// layers' columns by s changes nothing but what quantization sees.
struct FoldGroup {
  // Index of the segment that reads the inputs.
  int segment = 0;
  // Layers that read them ("model.layers.0.self_attn.q_proj"); all of them must take part.
  std::vector<std::string> readers;
  // A norm's weight (a vector), or a linear layer's (its rows are meant).
  std::string maker;
  // Added to what the maker makes; empty where there is none.
  std::string maker_bias;
  // The maker's output that each input is; several inputs may be one (heads that share a key-value head).
  std::vector<int64_t> output_of;
  // Outputs of the maker.
  int64_t outputs = 0;

  bool is_norm = true;
};

// Of one block: norm -> q, k, v; v -> o; norm -> gate, up; up -> down, as far as its architecture has them.
std::vector<FoldGroup> FoldGroupsOf(const Model& model, int block);

// Divides the maker's outputs by `scales` and multiplies the readers' columns. `scales` [group.outputs] are finite and
// above 0, else INVALID_ARGUMENT. Changed parameters become float32; `model` is changed at once.
absl::Status FoldScales(const FoldGroup& group, const std::vector<float>& scales, Model& model);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_FOLD_GROUP_H_
