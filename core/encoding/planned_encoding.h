// What a parameter's encoding will be, known before anything is computed: what planning hands from methods to exports.
#ifndef TERSOR_CORE_ENCODING_PLANNED_ENCODING_H_
#define TERSOR_CORE_ENCODING_PLANNED_ENCODING_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace tersor {

struct PlannedEncoding {
  // As EncodedTensor::encoding() of the weight without its input format: "group-int", ...
  std::string encoding;
  // Of all fields, those of the input format included: exact, or an upper bound where the values decide.
  uint64_t bytes = 0;
  // As ActivationFormat::name(): "int-token"; empty where inputs stay in float.
  std::string input_format = "";
  // Of group-int, masked-int and codebook.
  int bits = 0;
  int64_t group_size = 0;
  // Of masked and masked-int: weights that are kept, and bytes of the mask; upper bounds as `bytes` is.
  int64_t kept = 0;
  uint64_t mask_bytes = 0;
  // Of group-int and masked-int.
  bool symmetric = true;
  // Of codebook: its parameters of these names ("e2m1", "e8m0").
  std::string book = "";
  std::string scales = "";
  // ActivationFormat::Parameters() as text, without what only calibration tells (scales of outlier-pairs).
  std::string input_parameters = "";
};

// By parameter name ("model.layers.0.mlp.down_proj.weight"); parameters that stay as they are have no entry. An entry
// for "lm_head.weight" in a tied model means that the head becomes a parameter of its own.
using PlannedEncodings = std::map<std::string, PlannedEncoding, std::less<>>;

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_PLANNED_ENCODING_H_
