// What all pruning methods are told: how much is left out, and in which pattern.
#ifndef TERSOR_CORE_COMPRESS_PRUNE_PRUNE_OPTIONS_H_
#define TERSOR_CORE_COMPRESS_PRUNE_PRUNE_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/method_description.h"
#include "core/encoding/planned_encoding.h"
#include "core/encoding/sparse_mask.h"
#include "core/model/block.h"
#include "nlohmann/json_fwd.hpp"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

enum class Allocation { kUniform, kOwl, kGlobal };

// A sparsity of their own for the layers that an entry names.
struct LayerRule {
  std::string layer;
  std::function<bool(const std::string&)> matches;
  double sparsity = 0;
};

struct PruneOptions {
  // Share of a layer's weights that are left out.
  double sparsity = 0.5;
  MaskPattern pattern;
  Allocation allocation = Allocation::kUniform;
  double owl_spread = 0.08;
  double owl_outlier = 5;
  // The first that matches counts.
  std::vector<LayerRule> rules;

  // The rule of a layer; null where it has none.
  const LayerRule* RuleOf(const std::string& layer) const;
  // With the sparsity that a layer has by its rule, else by `decision` (sparsity_allocation.h; may be null).
  PruneOptions Of(const std::string& layer, const nlohmann::json* decision = nullptr) const;
  // Of `count` weights that are chosen among together: how many are left out.
  int64_t LeftOut(int64_t count) const;
};

// Faults are appended; `field` is the path of the stage's message.
PruneOptions ReadPruneOptions(const v1::PruneStage& stage, const std::string& field,
                              std::vector<FieldViolation>& violations);
// What a description lists beside a method's own options.
std::vector<MethodOption> SharedPruneOptions();

// Violations of `field`.layers where an entry names none of `layers`, and of `field`.pattern that lists the layers
// whose inputs the pattern does not divide.
std::vector<FieldViolation> CheckPattern(const PruneOptions& options, const std::vector<LinearLayer>& layers,
                                         const std::string& field);

// A masked tensor with `kept` weights of `bytes_a_weight` each.
PlannedEncoding MaskedEncoding(const PruneOptions& options, const LinearLayer& layer, int64_t kept,
                               int64_t bytes_a_weight);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_PRUNE_OPTIONS_H_
