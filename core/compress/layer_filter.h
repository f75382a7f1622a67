// The layers of a model that a stage means.
#ifndef TERSOR_CORE_COMPRESS_LAYER_FILTER_H_
#define TERSOR_CORE_COMPRESS_LAYER_FILTER_H_

#include <functional>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/model/block.h"
#include "core/model/model.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace tersor {

// The linear layers of all blocks, in the order of the blocks. The head is none of them.
std::vector<LinearLayer> LinearLayersOf(const Model& model);

// Whether a layer, by its full name, is one that an entry of `skip` names (see below); null, and what is wrong with it
// in `fault`, where its regular expression is faulty.
std::function<bool(const std::string&)> MakeLayerMatcher(const std::string& entry, std::string& fault);

// `layers` without those that an entry of `skip` names: a layer's full name, its last part, or "re:" and a regular
// expression (RE2) that matches either whole. "lm_head" may be named and means nothing here. An entry that is not a
// regular expression, or that matches no layer, is a violation of `field`[i].
std::vector<LinearLayer> WithoutSkipped(const std::vector<LinearLayer>& layers,
                                        const google::protobuf::RepeatedPtrField<std::string>& skip,
                                        const std::string& field, std::vector<FieldViolation>& violations);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_LAYER_FILTER_H_
