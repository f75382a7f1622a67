// What all pruning methods are told: how much is left out, and in which pattern.
#ifndef TERSOR_CORE_COMPRESS_PRUNE_PRUNE_OPTIONS_H_
#define TERSOR_CORE_COMPRESS_PRUNE_PRUNE_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/method_description.h"
#include "core/encoding/planned_encoding.h"
#include "core/encoding/sparse_mask.h"
#include "core/model/block.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct PruneOptions {
  // Share of a layer's weights that are left out.
  double sparsity = 0.5;
  MaskPattern pattern;

  // Of `count` weights that are chosen among together: how many are left out.
  int64_t LeftOut(int64_t count) const;
};

// Faults are appended; `field` is the path of the stage's message.
PruneOptions ReadPruneOptions(const v1::PruneStage& stage, const std::string& field,
                              std::vector<FieldViolation>& violations);
// What a description lists beside a method's own options.
std::vector<MethodOption> SharedPruneOptions();

// A violation of `field`.pattern that lists the layers whose inputs the pattern does not divide.
std::vector<FieldViolation> CheckPattern(const PruneOptions& options, const std::vector<LinearLayer>& layers,
                                         const std::string& field);

// A masked tensor with `kept` weights of `bytes_a_weight` each.
PlannedEncoding MaskedEncoding(const PruneOptions& options, const LinearLayer& layer, int64_t kept,
                               int64_t bytes_a_weight);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_PRUNE_OPTIONS_H_
